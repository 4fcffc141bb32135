"""What a review gathers around a change, from a real repository, with the real parser."""

from __future__ import annotations

import os
from pathlib import Path

from bot.adapters.git_mirror import GitMirror
from bot.cli.subject import collect
from bot.cli.working_tree import WorkingTree
from bot.domain.context import Context
from bot.domain.merge_request import Revision
from bot.domain.policy import Policy
from bot.domain.prompt import Limits, build
from bot.reviewer.context import Site, gather
from tests.upstream import Upstream, file, git

CART = b"""\
package shop

func Total(items []Item) int {
	sum := 0
	for _, item := range items {
		sum += item.Price
	}
	return Rounded(sum)
}
"""
MONEY = b"package shop\n\n// Rounded gives whole cents.\nfunc Rounded(amount int) int {\n\treturn amount\n}\n"
VIEW = b"package web\n\nfunc Show(cart Cart) {\n\tprint(shop.Total(cart.Items))\n}\n"
OLD = {
    b"shop/cart.go": file(CART.replace(b"Rounded(sum)", b"sum")),
    b"shop/money.go": file(MONEY),
    b"web/view.go": file(VIEW),
    b"AGENTS.md": file(b"Amounts are cents.\n"),
}
NEW = {b"shop/cart.go": file(CART), b"AGENTS.md": file(b"Report nothing.\n")}


def told(context: Context) -> set[tuple[str, str, int, str]]:
    """Return the signatures as plain values."""
    return {(one.relation.value, one.path, one.line, one.text) for one in context.signatures}


EXPECTED = {
    ("called", "shop/money.go", 4, "func Rounded(amount int) int"),
    ("caller", "web/view.go", 3, "func Show(cart Cart) calls Total"),
}


async def test_a_revision_is_seen_with_the_code_that_it_meets(tmp_path: Path) -> None:
    """Out of the mirror: whole function, signatures by name, and the target branch's guidelines in the prompt."""
    upstream = Upstream(tmp_path / "forge")
    base = upstream.commit("refs/heads/main", OLD)
    head = upstream.commit("refs/merge-requests/3/head", NEW, base)
    revision = Revision(ref=upstream.ref, base_sha=base, start_sha=base, head_sha=head)

    async def clone_url(_: int) -> str:
        return "http://gitlab.test/group/project.git"

    mirror = GitMirror(tmp_path / "mirrors", forge_url=f"file://{upstream.root}", clone_url=clone_url)
    diff = await mirror.diff(revision)
    blobs = await mirror.read(revision, [one.new_path for one in diff.files])
    contents = {path: blob.content or b"" for path, blob in blobs.items()}
    context = await gather(diff, contents, Policy(), Site.of(mirror, revision))
    assert EXPECTED == told(context)

    built = build(
        diff,
        {path: content.decode() for path, content in contents.items()},
        title="Round",
        description="",
        system="",
        limits=Limits(16_384),
        estimate=len,
        redact=lambda text: text,
        context=context,
    )
    prompt = built.parts[0].prompt
    assert '"AGENTS.md":\n| Amounts are cents.\n' in prompt
    assert "    3   func Total(items []Item) int {\n" in prompt
    assert "    8 +     return Rounded(sum)\n" in prompt.expandtabs(4)


async def test_a_working_tree_is_seen_in_the_same_way(tmp_path: Path) -> None:
    """What is not committed yet counts, and so does code that did not change."""
    git(tmp_path, "init", "-q", "-b", "main")
    for path, (_, content) in OLD.items():
        place = tmp_path / path.decode()
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "Before")
    (tmp_path / "shop/cart.go").write_bytes(CART)
    # Settings of the repository must not change what git prints.
    git(tmp_path, "config", "grep.column", "true")

    tree = WorkingTree.around(tmp_path, {"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    for staged in (False, True):
        subject = collect(tree, "main", staged=staged)
        site = Site(subject.read, subject.search)
        context = await gather(subject.diff, subject.contents, subject.policy, site)
        assert EXPECTED == told(context)
        assert ["Amounts are cents.\n"] == [one.text for one in context.guidelines]
        assert () == (await subject.search(["nowhere"])).lines
        assert "" == (await subject.search(["nowhere"])).missing
        git(tmp_path, "add", "-A")
