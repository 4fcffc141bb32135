"""Errors that grammars let pass."""

from __future__ import annotations

import pytest

from bot.syntax.reading import read


@pytest.mark.parametrize(
    ("language", "code", "lines"),
    [
        ("ruby", "def f(a)\n  a.each do |x|\n    puts x end\n  end\nend\n", {5}),
        ("ruby", "x = <<~SQL\n  select 1\nSQ\nputs x\n", {5}),
        ("bash", "cat <<EOF\nhello\n  EOF\necho done\n", {3}),
        ("bash", "cat <<-EOF\nhello\n  EOF\necho done\n", {3}),
        ("javascript", "function f(a) {\n  return await g(a);\n}\n", {2}),
        ("typescript", "async function f(a: A[]) {\n  a.forEach(x => {\n    await g(x);\n  });\n}\n", {3}),
        ("tsx", "const P = () => { const a = await f(); return <b>{a}</b>; };\n", {1}),
        ("csharp", "class A {\n  int F() { return await G(); }\n}\n", {2}),
        ("rust", "fn f() {\n    g().await;\n}\n", {2}),
        ("html", "<ul>\n  <b>a</li>\n</ul>\n", {2}),
    ],
)
def test_what_no_compiler_takes_is_an_error(language: str, code: str, lines: set[int]) -> None:
    """Its line is among the errors."""
    assert lines == set(read(language, code.encode()).errors)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("ruby", "x = a.end\ny = {end: 1}\nz = a&.end\nr = (1..2).end\nf(end: 2)\ns = :end\n"),
        ("ruby", "class A\n  def self.end; 1; end\n  def end; 2; end\nend\n"),
        ("ruby", "x = <<~SQL\nSQL\nf(<<-A, <<-B)\n  a\n  A\n  b\n  B\n"),
        ("bash", "cat <<EOF\nEOF\nx=$(cat <<A\nb\nA\n)\n"),
        ("bash", "if x; then\n\tcat <<-EOF\n\ta\n\tEOF\nfi\ncat <<'E' | sh\n$x\nE\n"),
        (
            "javascript",
            "const x = await f();\nconst g = async (a) => await h(a);\nfor await (const y of z) {}\n",
        ),
        ("javascript", "class A { async m() { await x; } }\nconst o = { async k() { await x; } };\n"),
        ("typescript", "class A { private async m(): Promise<void> { await x; } async *g() { await y; } }\n"),
        ("csharp", "class A {\n  public async Task<int> F() { return await G(); }\n}\n"),
        (
            "csharp",
            "class A { void F() { Run(async () => await G()); Run(async delegate { await G(); }); } }\n",
        ),
        ("rust", "async fn f() { g().await; }\nfn k() { spawn(async move { y.await }); }\n"),
        ("rust", "pub async unsafe fn f() { g().await; }\nfn h() { let c = async || { g().await }; }\n"),
        ("html", "<ul><li>{{ x }}<li>b</ul>{% if a %}<b>{% endif %}</b><br>\n"),
    ],
)
def test_what_compilers_take_is_none(language: str, code: str) -> None:
    """Names that look like words of the language, documents that end, and waiting where one may."""
    assert frozenset() == read(language, code.encode()).errors
