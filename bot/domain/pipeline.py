"""What GitLab says in a CI job, and which change that job is about.

https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import Permanent
from bot.domain.facts import Facts
from bot.domain.merge_request import MergeRequestRef

#: All that is read of a job's variables.
VARIABLES: Final = (
    "CI_COMMIT_BEFORE_SHA",
    "CI_COMMIT_BRANCH",
    "CI_COMMIT_SHA",
    "CI_DEFAULT_BRANCH",
    "CI_MERGE_REQUEST_DRAFT",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA",
    "CI_MERGE_REQUEST_IID",
    "CI_MERGE_REQUEST_LABELS",
    "CI_MERGE_REQUEST_PROJECT_ID",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "CI_MERGE_REQUEST_TARGET_BRANCH_SHA",
    "CI_OPEN_MERGE_REQUESTS",
    "CI_PIPELINE_SOURCE",
    "CI_PROJECT_DIR",
    "CI_PROJECT_ID",
    "CI_PROJECT_PATH",
    "CI_REPOSITORY_URL",
    "CI_SERVER_HOST",
    "CI_SERVER_TLS_CA_FILE",
)
COMMIT_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MERGE_REQUEST = "merge_request_event"
_LOCAL = "localhost"


@dataclass(frozen=True, slots=True)
class Target:
    """Name the branch that the change is to go into: its commit where GitLab says it, or else its name.

    It has the policy. It is not ``trusted`` where the branch may be somebody else's, as in the pipeline of a fork:
    then the policy is that of the place where the change left it.
    """

    sha: str = ""
    branch: str = ""
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """Say what is compared: ``head`` with ``base`` or, where there is none, with where it left ``target``.

    ``first`` allows that there is nothing before: then all of the head counts as added. ``parent`` compares with the
    commit before. ``why`` tells people.
    """

    head: str
    base: str = ""
    target: Target = Target()
    parent: bool = False
    first: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Hold the variables of a CI job; outside of one all are empty."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return a variable without white space around it, empty when it is not set."""
        return self.values.get(name, "").strip()

    @property
    def present(self) -> bool:
        """Say whether this is a job of GitLab's."""
        return bool(self["CI_COMMIT_SHA"] or self["CI_PIPELINE_SOURCE"])

    @property
    def of_merge_request(self) -> bool:
        """Say whether the pipeline is one of a merge request, be it detached, of merged results or of a train."""
        return self["CI_PIPELINE_SOURCE"] == _MERGE_REQUEST or bool(self["CI_MERGE_REQUEST_IID"])

    @property
    def ref(self) -> MergeRequestRef:
        """Return the merge request, as far as there is one: it only names the run."""
        project, iid = self["CI_PROJECT_ID"], self["CI_MERGE_REQUEST_IID"]
        return MergeRequestRef(
            instance=self["CI_SERVER_HOST"].lower() or _LOCAL,
            project_id=_number(project),
            iid=_number(iid),
        )

    @property
    def head(self) -> str:
        """Return the newest commit that people wrote: in pipelines of merged results the job's is a merge by GitLab."""
        return self["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"] or self["CI_COMMIT_SHA"]

    @property
    def facts(self) -> Facts:
        """Return what is known of the merge request, or of the branch; a job cannot know the author's role.

        Labels are those of the moment in which the pipeline began.
        """
        if not self.of_merge_request:
            return Facts(
                target_branch=self["CI_DEFAULT_BRANCH"] or None,
                source_branch=self["CI_COMMIT_BRANCH"] or None,
            )
        labels = [one.strip() for one in self["CI_MERGE_REQUEST_LABELS"].split(",")]
        return Facts(
            labels=tuple(sorted(filter(None, labels))),
            draft={"true": True, "false": False}.get(self["CI_MERGE_REQUEST_DRAFT"]),
            target_branch=self["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] or None,
            source_branch=self["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] or None,
        )

    def scope(self) -> Scope:
        """Return what this job is to compare.

        Raises:
            Permanent: a variable is missing or contradicts another.
        """
        head = self._sha("CI_COMMIT_SHA")
        if not head:
            raise Permanent(
                "CI_COMMIT_SHA is not set, though this is a CI job; name commits with --base and --head"
            )
        return self._merge_request(head) if self.of_merge_request else self._branch(head)

    def _merge_request(self, head: str) -> Scope:
        base = self._sha("CI_MERGE_REQUEST_DIFF_BASE_SHA")
        target = Target(
            self._sha("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
            self["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
            trusted=self["CI_MERGE_REQUEST_PROJECT_ID"] in ("", self["CI_PROJECT_ID"]),
        )
        if not (base or (target.trusted and (target.sha or target.branch))):
            raise Permanent(
                "this is a merge request pipeline, but CI_MERGE_REQUEST_DIFF_BASE_SHA is not set, nor is there a target"
                " branch to trust; name the target with --base"
            )
        # In pipelines of merged results the commit is a merge that GitLab made: what people wrote is its source.
        source = self._sha("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
        return Scope(source or head, base, target, why="the merge request")

    def _branch(self, head: str) -> Scope:
        branch, default = self["CI_COMMIT_BRANCH"], self["CI_DEFAULT_BRANCH"]
        if branch and default and branch != default:
            return Scope(head, target=Target(branch=default), why=f"the branch, since it left {default}")
        before = self._sha("CI_COMMIT_BEFORE_SHA")
        if before.strip("0"):
            return Scope(head, before, Target(before), why="the push")
        if self["CI_PIPELINE_SOURCE"] == "push" and branch:
            return Scope(head, first=True, why="everything, in the first push")
        return Scope(head, parent=True, first=True, why="the last commit, since no push is named")

    def _sha(self, name: str) -> str:
        value = self[name]
        if value and not COMMIT_ID.fullmatch(value):
            raise Permanent(f"{name} is no commit id ({value[:80]!r}); name commits with --base and --head")
        return value


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,8}", text, re.ASCII) else 1
