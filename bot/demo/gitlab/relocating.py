"""What becomes of projects: renamed, transferred to another group, archived, deleted. Their numbers stay.

A former path leads to the project, over git as it is and in the API by a redirect, until another project takes it:
https://docs.gitlab.com/user/project/repository/#repository-path-changes.
"""

from __future__ import annotations

from bot.demo.gitlab.setup import Setup
from bot.demo.gitlab.state import Project


class Relocating(Setup):
    """Move projects and take them away; GitLab tells only system hooks of it, and not those that we know."""

    def move_project(self, project: Project, path: str) -> None:
        """Rename a project, or transfer it to the group that *path* names: inherited roles and hooks are its own."""
        state = self.instance.state
        with state.lock:
            if state.find_project(path) not in {None, project}:
                raise ValueError(f"{path} is taken")
            state.redirects[project.path] = project
            state.redirects.pop(path, None)
            project.path, project.group = path, self.create_group(path.rpartition("/")[0] or "root")

    def archive_project(self, project: Project, *, archived: bool = True) -> None:
        """Make a project read-only, or writable again."""
        with self.instance.state.lock:
            project.archived = archived

    def schedule_deletion(self, project: Project) -> None:
        """Have a project deleted later: until then it is archived, under another path that can still be read."""
        self.move_project(project, f"{project.path}-deletion_scheduled-{project.id}")
        self.archive_project(project)

    def delete_project(self, project: Project) -> None:
        """Delete a project; merge requests that came from it lose their source."""
        state = self.instance.state
        with state.lock:
            project.deleted = True
            state.redirects = {path: one for path, one in state.redirects.items() if one is not project}
            for target in state.projects.values():
                for merge_request in target.merge_requests.values():
                    if merge_request.source_project is project:
                        merge_request.source_project = None
