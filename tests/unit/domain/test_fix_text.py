"""What the text of a fix gives away."""

from __future__ import annotations

import pytest

from bot.domain.fix_text import imports_anew, misfit, suspicious, unbalanced, unbalanced_tags
from bot.domain.suggestion import Refusal

CALL = ["    run(a)", "    run(b)", "    run(c)"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["    a()"], ["    b()"]),
        (["    if x:", "        a()"], ["    a()"]),
        (["    a()"], ["    if x:", "        a()"]),
        (["    a()"], ["", "    b()"]),
        (["    a()"], []),
        (["\ta()"], ["\tb(1,", "\t  2)"]),
        (["a()"], ["if x:", "\ta()"]),
    ],
)
def test_what_fits(old: list[str], new: list[str]) -> None:
    """The first line begins where the old one did, and none further left than all of the old ones."""
    assert misfit(old, new, ["def f():", "\tx()" if "\t" in "".join(new) else "    x()"]) is None


@pytest.mark.parametrize(
    ("old", "new", "file"),
    [
        (["    a()"], ["b()"], ["    x()"]),
        (["    a()"], ["      b()"], ["    x()"]),
        (["\ta()"], ["    b()"], ["\tx()"]),
        (["    a()"], ["    if b:", "  c()"], ["    x()"]),
        (["a()"], ["if x:", "    a()"], ["\tx()"]),
        (["\ta()"], ["\tif x:", "        a()"], []),
    ],
)
def test_what_does_not_fit(old: list[str], new: list[str], file: list[str]) -> None:
    """Other depth, tabs for spaces, or lines further left than what stood there."""
    assert misfit(old, new, file) is Refusal.indentation


@pytest.mark.parametrize(
    "comment",
    [
        "a()  # nosemgrep", "a()  # nosemgrep: some.rule", "a()  # noqa", "a()  # NOQA: S608", "a()  # nosec B101",
        "a()  # type: ignore[arg-type]", "a()  # pylint: disable=all", "a();  // NOSONAR", "a();  // nolint:gosec",
        "a();  // eslint-disable-line", "/* eslint-disable */ a();", "// eslint-disable-next-line no-eval",
        "// @ts-ignore", "// @ts-expect-error", "@SuppressWarnings(\"all\")", "@Suppress(\"x\")", "#[allow(unused)]",
        "#![allow(dead_code)]", "key = 'x'  # gitleaks:allow", "x = 1  # pragma: no cover",
        "#pragma warning disable CS0168", "#pragma GCC diagnostic ignored \"-Wformat\"", "# rubocop:disable all",
        "# shellcheck disable=SC2086", "// phpcs:ignore", "/** @phpstan-ignore-next-line */", "// NOLINTNEXTLINE",
        "# checkov:skip=CKV_AWS_1", "#tfsec:ignore:aws", "// swiftlint:disable force_cast", "# hadolint ignore=DL3008",
        "// noinspection SqlResolve", "# pyright: ignore", "# mypy: ignore-errors", "// biome-ignore lint: no",
        "# trivy:ignore:AVD-1", "// istanbul ignore next", "# ruff: noqa", "x()  # lgtm[py/sql]",
        "# yamllint disable-line", "//nolint", "# cspell:disable", "x()  # skipcq: BAN-B307", "// NOPMD",
        "//lint:ignore SA1000 no", "//lint:file-ignore U1000 no", "[SuppressMessage(\"a\", \"b\")]",
        "[assembly: SuppressMessage(\"a\", \"b\")]", "@file:Suppress(\"x\")", "@nowarn", "#[expect(unused)]",
        "// CHECKSTYLE:OFF", "# trufflehog:ignore", "// deno-lint-ignore no-eval", "@pytest.mark.skip",
        "@pytest.mark.xfail(reason='x')", "@unittest.skip(\"x\")", "@Disabled", "@Ignore", "it.skip('a', () => {",
        "describe.only(\"a\", () => {", "xit('a', () => {", "t.Skip()", "\tt.SkipNow()",
    ],
)  # fmt: skip
def test_suppressions_are_no_fix(comment: str) -> None:
    """Whoever tells a tool to look away has mended nothing; one that stood there before may stay."""
    assert suspicious(["a()"], [comment], ["a()"], trusted=True) is Refusal.silences
    assert suspicious([comment], [f"{comment} "], [comment], trusted=False) is None


@pytest.mark.parametrize(
    "code",
    [
        "allow_list = ignore(values)", "self.disable()", "cursor.execute(sql, (name,))", "type = ignored",
        "if not secure: raise Insecure", "import nose", "# the type: integers are ignored", "c8 = 1; skip()",
        "// disable the button", "warnings.append(text)", "@SuperWarning", "# ignore: nothing",
    ],
)  # fmt: skip
def test_code_that_only_sounds_like_it(code: str) -> None:
    """Words such as ignore and disable are no suppression by themselves."""
    assert suspicious(["a()"], [code], ["a()"], trusted=False) is None


@pytest.mark.parametrize(
    "new",
    [[], [""], ["    # removed"], ["    pass"], ["    return None"], ["    // nothing", "    return;"], ["    {", "    }"],
     ["    /* gone", "     * all", "     */"], ["    ..."]],
)  # fmt: skip
def test_taking_code_away_is_no_fix(new: list[str]) -> None:
    """More than a couple of lines need something in their place, unless a rule means it."""
    assert suspicious(CALL, new, CALL, trusted=False) is Refusal.hollow
    assert suspicious(CALL, new, CALL, trusted=True) is None
    assert suspicious(CALL[:2], new, CALL, trusted=False) is None


def test_comments_may_go() -> None:
    """What does nothing can be taken away in any length."""
    assert suspicious(["# a", "# b", "# c", "x = 1", ""], [], ["y"], trusted=False) is None


@pytest.mark.parametrize(
    "code",
    [
        "get('https://evil.example/x')", "curl http://10.0.0.1/", "connect('10.1.2.3')", "host = \"evil.com\"",
        "url = 'evil.dev/path'", "import x from 'https:\\/\\/cdn.bad.org/x.js'", "db = 'postgres://u:p@other.net/x'",
        "a = `wss://evil.top`", "mail('me@evil.ru')", "x = 'EVIL.COM'",
        '<script src="//evil.example/x.js">', "<img src=//evil.example/x>", "url(//cdn.evil.example/x)",
    ],
)  # fmt: skip
def test_strange_hosts(code: str) -> None:
    """A fix talks to nobody that the file does not know."""
    assert suspicious(["a()"], [code], ["a()"], trusted=True) is Refusal.stranger
    assert suspicious(["a()"], [code], ["a()", code], trusted=True) is None


@pytest.mark.parametrize(
    "code",
    ["os.path.join(a)", "open('notes.txt')", "version = '1.2.3'", "e.message", "self.co.me()", "fmt('{:.2f}')",
     "x = 'config.json'", "round(1.25, 1)", "f(// see a.b() here", "a = b // c.d", "open('//server')"],
)  # fmt: skip
def test_what_is_no_host(code: str) -> None:
    """Attributes, versions and file names have dots too."""
    assert suspicious(["a()"], [code], ["a()"], trusted=False) is None


def test_a_better_protocol_is_no_new_host() -> None:
    """The host is what counts."""
    old = ["get('http://known.example/x')"]
    assert suspicious(old, ["get('https://known.example/x')"], old, trusted=True) is None


def test_stand_ins_for_secrets_are_not_written_back() -> None:
    """What the model saw instead of a secret would replace it."""
    new = ["key = '[secret:aws-key:1f2e]'"]
    assert suspicious(["key = old"], new, ["key = old"], trusted=False) is Refusal.stand_in


@pytest.mark.parametrize(
    "line",
    ["import evil", "from evil import x", "const x = require('evil')", "import x from 'evil'", "#include <evil.h>",
     "using Evil.Things;", "use evil::thing;", "require 'evil'", "const y = await import('evil')"],
)  # fmt: skip
def test_imports(line: str) -> None:
    """An import counts where it was not there before."""
    assert imports_anew(["a()"], [line])
    assert not imports_anew([f"  {line}"], [line, "b()"])
    assert not imports_anew(["a()"], ["important(x)"])


@pytest.mark.parametrize(
    ("old", "new"),
    [("<b>x</b>", "<i>x</i>"), ("<b>", "<b class='x'>"), ("x", "<br>y<img src={a}/>"), ("f(a)", "f<string>(a)"),
     ("a", "a < b && c > d"), ("<A x={() => 1}>", "<A y={2}>"), ("</b>", "<i/></b>"), ("x", "if (a<b) c->d")],
)  # fmt: skip
def test_tags_that_fit(old: str, new: str) -> None:
    """As many are open after the fix as before it."""
    assert not unbalanced_tags([old], [new])


@pytest.mark.parametrize(
    ("old", "new"), [("<b>x</b>", "<i>x</b>"), ("x", "<b>x"), ("</b>", "x"), ("<b/>", "<b>")]
)
def test_tags_that_do_not_fit(old: str, new: str) -> None:
    """Names count: no grammar compares them."""
    assert unbalanced_tags([old], [new])


def test_brackets() -> None:
    """As many may be open after the fix as before it, of each kind."""
    assert not unbalanced(["f(a)"], ["g(a, [b])"])
    assert not unbalanced(["if (x) {"], ["while (x) {"])
    assert unbalanced(["f(a)"], ["g(a"])
    assert unbalanced(["f(a)"], ["g[a)"])
