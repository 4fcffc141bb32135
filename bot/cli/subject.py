"""What a local review is about: the change, its files, and what the base asks of reviews."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.cli.working_tree import WorkingTree
from bot.domain.diff import Diff
from bot.domain.policy import Policy, excluded
from bot.domain.policy_file import PolicyProblem, parse
from bot.ports import Blob, Occurrences

POLICY_FILE = ".cloister.yml"


@dataclass(frozen=True, slots=True)
class Subject:
    """Hold one change.

    ``everything`` is all of it but what the policy leaves out, ``diff`` what is reviewed: ``excluded`` maps the rest
    to the reason. ``contents`` are the changed files at the head as far as they can be read, ``before`` gives the
    files as they were. ``since`` is what the head is compared with, ``root`` the top directory. ``problem`` says why
    the base's policy file is not used, if so. ``title`` and ``description`` tell a model what the change is for.
    ``other`` gives any file at the head, ``find`` the lines with names.
    """

    diff: Diff
    everything: Diff
    contents: Mapping[str, bytes]
    excluded: Mapping[str, str]
    policy: Policy
    since: str
    root: Path
    before: Callable[[str], bytes | None]
    problem: str = ""
    title: str = ""
    description: str = ""
    other: Callable[[str], bytes | None] = lambda _: None
    find: Callable[[Sequence[str]], Occurrences] = lambda _: Occurrences()

    async def read(self, paths: Sequence[str], side: str, max_bytes: int) -> Mapping[str, Blob]:
        """Return files at the head, unchanged ones too, or at the base; what is larger lacks its content."""
        give = self.other if side == "head" else self.before
        found = {path: await asyncio.to_thread(give, path) for path in paths}
        return {
            path: Blob(len(one), one if len(one) <= max_bytes else None)
            for path, one in found.items()
            if one is not None
        }

    async def search(self, names: Sequence[str]) -> Occurrences:
        """Return the lines of the working tree or the index that hold one of *names*."""
        return await asyncio.to_thread(self.find, names)


def collect(tree: WorkingTree, base: str | None, *, staged: bool) -> Subject:
    """Return what is to be reviewed in *tree*.

    The change is what HEAD, index and working tree add to the place where HEAD left *base*; when *staged*, what
    the index adds, without *base* to HEAD. The policy is that of the base, which the change cannot touch.

    Raises:
        Permanent: git refuses, or there is no such base.
    """
    since, rules = _start(tree, base, staged=staged)
    policy, problem = _policy(tree, rules)
    whole = tree.diff(since, staged=staged)
    left_out = {file.new_path: why for file in whole.files if (why := excluded(file.new_path, policy))}
    diff = Diff(tuple(file for file in whole.files if file.new_path not in left_out))
    everything = Diff(
        tuple(file for file in whole.files if not excluded(file.new_path, policy, everywhere=True))
    )
    contents = {}
    for file in everything.files:
        content = _content(tree, file.new_path, staged=staged) if file.hunks else None
        if content is not None:
            contents[file.new_path] = content
    before = partial(tree.read_at, since)
    return Subject(
        diff,
        everything,
        contents,
        left_out,
        policy,
        since,
        tree.root.resolve(),
        before,
        problem,
        other=partial(_content, tree, staged=staged),
        find=partial(tree.search, staged=staged),
    )


def _start(tree: WorkingTree, base: str | None, *, staged: bool) -> tuple[str, str | None]:
    """Return what to compare with, and the commit whose policy holds."""
    head = tree.head()
    if head is None:
        return tree.empty_tree(), None
    if staged and base is None:
        return head, head
    commit = tree.base(base)
    return tree.merge_base(commit), commit


def _content(tree: WorkingTree, path: str, *, staged: bool) -> bytes | None:
    return tree.read_at("", path) if staged else tree.read(path)


def _policy(tree: WorkingTree, commit: str | None) -> tuple[Policy, str]:
    content = tree.read_at(commit, POLICY_FILE) if commit else None
    if content is None:
        return Policy(), ""
    policy = parse(content)
    if isinstance(policy, PolicyProblem):
        return Policy(), f"{POLICY_FILE} of the base is not used: {policy}"
    return policy, ""
