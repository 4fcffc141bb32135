"""What a local review is about: the change, its files, and what the base asks of reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.cli.working_tree import WorkingTree
from bot.domain.diff import Diff
from bot.domain.policy import Policy, excluded
from bot.domain.policy_file import PolicyProblem, parse

POLICY_FILE = ".cloister.yml"


@dataclass(frozen=True, slots=True)
class Subject:
    """Hold one change.

    ``everything`` is all of it but what the policy leaves out, ``diff`` what is reviewed: ``excluded`` maps the rest
    to the reason. ``contents`` are the changed files at the head as far as they can be read, ``before`` gives the
    files as they were. ``since`` is what the head is compared with, ``root`` the top directory. ``problem`` says why
    the base's policy file is not used, if so. ``title`` and ``description`` tell a model what the change is for.
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
    return Subject(diff, everything, contents, left_out, policy, since, tree.root.resolve(), before, problem)


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
    policy = parse(content.decode(errors="replace"))
    if isinstance(policy, PolicyProblem):
        return Policy(), f"{POLICY_FILE} of the base is not used: {policy}"
    return policy, ""
