"""What is read from source files in every language, and what hostile files can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.confined import seccomp_works
from bot.syntax import MAX_BYTES, Parser, Syntax, language_of
from bot.syntax.grammars import PATTERNS
from bot.syntax.reading import read

#: By file name of languages of which only that is asked: a file that parses, and one that does not.
MARKUP = {
    "a.html": ("<ul>\n  <li>a</li>\n</ul>\n", "<ul>\n  <b>a</li>\n</ul>\n"),
    "a.css": ("a {\n  color: red;\n}\n", "a {\n  color: red; }\n}\n"),
    "a.scss": ("a { b { c: d } }\n", "a { b { c: d }\n"),
    "a.xml": ("<a>\n  <b>1</b>\n</a>\n", "<a>\n  <b>1\n</a>\n"),
    "a.vue": ("<template>\n  <b>a</b>\n</template>\n", "<template>\n  <i>a</b>\n</template>\n"),
    "a.lua": ("function f(a)\n  return a\nend\n", "function f(a)\n  if a then return a\nend\n"),
    "a.dart": ("int f(int a) {\n  return a;\n}\n", "int f(int a) {\n  return a\n}\n"),
    "a.ex": ("defmodule A do\n  def f(a), do: a\nend\n", "defmodule A do\n  def f(a) do\n    a\nend\n"),
    "a.pl": ("sub f {\n  return $_[0];\n}\n", "sub f {\n  return $_[0;\n}\n"),
    "Makefile": ("all:\n\trm x\n", "all:\n    rm x\n"),
    "Dockerfile": ("FROM a\nRUN b \\\n && c\n", "FROM a\nRUN b\nFOO x\n"),
    "a.proto": (
        'syntax = "proto3";\nmessage A { int32 a = 1; }\n',
        'syntax = "proto3";\nmessage A { int32 a = ; }\n',
    ),
    "a.graphql": ("type A { b: Int! }\n", "type A { b: }\n"),
}
#: By file name: a file that parses, definitions as kind, name, lines and parent, and calls as name and line.
FILES = {
    "a.py": (
        "@wrap\nclass A(B):\n    async def f(self, x: int) -> str:\n        return g(x).h(y)\n",
        [("class", "A", 1, 4, ""), ("function", "f", 3, 4, "A")],
        {("g", 4), ("h", 4)},
    ),
    "a.js": (
        "export class A extends B {\n  m(x) {\n    return g(x).h(y);\n  }\n}\n"
        "export const f = async (a) =>\n  new Q(a);\nmodule.exports.k = function () {};\n",
        [
            ("class", "A", 1, 5, ""),
            ("function", "m", 2, 4, "A"),
            ("function", "f", 6, 7, ""),
            ("function", "module.exports.k", 8, 8, ""),
        ],
        {("g", 3), ("h", 3), ("Q", 7)},
    ),
    "a.ts": (
        "interface I {\n  m(x: number): string;\n}\nabstract class A<T> {\n  private k = (x: T) => g<T>(x);\n}\n",
        [
            ("class", "I", 1, 3, ""),
            ("function", "m", 2, 2, "I"),
            ("class", "A", 4, 6, ""),
            ("function", "k", 5, 5, "A"),
        ],
        {("g", 5)},
    ),
    "a.tsx": (
        "export function App(props: P) {\n  return <Foo bar={baz(1)} />;\n}\n",
        [("function", "App", 1, 3, "")],
        {("Foo", 2), ("baz", 2)},
    ),
    "A.java": (
        "class A extends B {\n  int f(int x) throws E {\n    return this.g(x) + new Q(1).z();\n  }\n}\nrecord R(int a) {}\n",
        [("class", "A", 1, 5, ""), ("function", "f", 2, 4, "A"), ("class", "R", 6, 6, "")],
        {("g", 3), ("Q", 3), ("z", 3)},
    ),
    "a.go": (
        "package m\n\nfunc (s *S) F(x int) error {\n\treturn g(x).h()\n}\n\ntype S struct {\n\ta int\n}\n",
        [("function", "F", 3, 5, ""), ("class", "S", 7, 9, "")],
        {("g", 4), ("h", 4)},
    ),
    "a.c": (
        "static int *f(int x)\n{\n  return g(x);\n}\nstruct s {\n  int a;\n};\nint k(void);\n",
        [("function", "f", 1, 4, ""), ("class", "s", 5, 7, ""), ("function", "k", 8, 8, "")],
        {("g", 3)},
    ),
    "a.hpp": (
        "namespace n {\nclass A : public B {\n  int f(int x) {\n    return g(x) + q->h();\n  }\n};\n}\n"
        "template <class T>\nT n::A::z(T a) { return N::k<int>(a); }\n",
        [
            ("module", "n", 1, 7, ""),
            ("class", "A", 2, 6, "n"),
            ("function", "f", 3, 5, "n.A"),
            ("function", "z", 8, 9, ""),
        ],
        {("g", 4), ("h", 4), ("k", 9)},
    ),
    "a.cs": (
        "namespace N {\n  class A : B {\n    public int F(int x) {\n      return G(x) + this.H(1) + new Q();\n    }\n  }\n}\n",
        [("module", "N", 1, 7, ""), ("class", "A", 2, 6, "N"), ("function", "F", 3, 5, "N.A")],
        {("G", 4), ("H", 4), ("Q", 4)},
    ),
    "a.rb": (
        "module M\n  class A < B\n    def f(x)\n      g(x).h y\n    end\n  end\nend\n",
        [("module", "M", 1, 7, ""), ("class", "A", 2, 6, "M"), ("function", "f", 3, 5, "M.A")],
        {("g", 4), ("h", 4)},
    ),
    "a.php": (
        "<?php\nclass A {\n  public function f($x): int {\n    return g($x) + $this->h(1) + A::k() + (new Q())->z();\n  }\n}\n",
        [("class", "A", 2, 6, ""), ("function", "f", 3, 5, "A")],
        {("g", 4), ("h", 4), ("k", 4), ("Q", 4), ("z", 4)},
    ),
    "a.rs": (
        "impl A {\n    pub fn f(&self, x: i32) -> i32 {\n        g(x) + self.h() + m::k(1) + mac!(1)\n    }\n}\n",
        [("class", "A", 1, 5, ""), ("function", "f", 2, 4, "A")],
        {("g", 3), ("h", 3), ("k", 3), ("mac", 3)},
    ),
    "a.kt": (
        "class A : B() {\n  fun f(x: Int): Int {\n    return g(x) + q.h()\n  }\n}\n",
        [("class", "A", 1, 5, ""), ("function", "f", 2, 4, "A")],
        {("g", 3), ("h", 3)},
    ),
    "a.sh": (
        'f() {\n  g "$1"\n}\nf x\n',
        [("function", "f", 1, 3, "")],
        {("g", 2), ("f", 4)},
    ),
    "a.scala": (
        "class A extends B {\n  def f(x: Int): Int = {\n    g(x) + q.h(1)\n  }\n}\n",
        [("class", "A", 1, 5, ""), ("function", "f", 2, 4, "A")],
        {("g", 3), ("h", 3)},
    ),
    "a.swift": (
        "class A: B {\n  init() {}\n  func f(x: Int) -> Int {\n    return g(x) + q.h(1)\n  }\n}\n",
        [("class", "A", 1, 6, ""), ("function", "init", 2, 2, "A"), ("function", "f", 3, 5, "A")],
        {("g", 4), ("h", 4)},
    ),
    "a.sql": (
        "CREATE TABLE t (a INT);\nSELECT count(a) FROM t;\n",
        [("class", "t", 1, 1, "")],
        {("count", 2)},
    ),
    "a.yaml": ("a:\n  b: [1]\n", [], set()),
    "a.json": ('{"a": [1]}\n', [], set()),
    "a.tf": (
        'resource "aws_x" "y" {\n  a = max(1, 2)\n}\n',
        [("block", "resource aws_x y", 1, 3, "")],
        {("max", 2)},
    ),
    "a.toml": (
        "[a.b]\nc = 1\n[[d]]\ne = 2\n",
        [("block", "a.b", 1, 2, ""), ("block", "d", 3, 4, "")],
        set(),
    ),
    **{name: (text, [], set()) for name, (text, _) in MARKUP.items()},
}
#: Files that cannot parse, by name.
BROKEN = {
    "a.py": "def f(:\n    pass\n",
    "a.js": "function f( {\n",
    "a.ts": "class A {\n  m(x: ) {\n}\n",
    "a.tsx": "const a = <Foo\n",
    "A.java": "class A { int f( { } }\n",
    "a.go": "package m\nfunc f( {\n}\n",
    "a.c": "int f( {\n",
    "a.hpp": "class A { int f(; };\n",
    "a.cs": "class A { int F( { } }\n",
    "a.rb": "def f(\n",
    "a.php": "<?php function f( { }\n",
    "a.rs": "fn f( { }\n",
    "a.kt": "fun f(x: { }\n",
    "a.sh": "if true; then\n",
    "a.scala": "class A { def f( = 1 }\n",
    "a.swift": "func f( {\n",
    "a.sql": "CREATE TABLE (;\n",
    "a.yaml": "a: [1\nb: }\n",
    "a.json": '{"a": \n',
    "a.tf": 'resource "a" {\n',
    "a.toml": "[a\nb = 1\n",
    **{name: broken for name, (_, broken) in MARKUP.items()},
}
HOSTILE = {
    "brackets": ("a.py", b"(" * 100_000),
    "closed brackets": ("a.json", b"[" * 50_000 + b"]" * 50_000),
    "braces": ("a.c", b"{" * 100_000),
    "blocks": ("a.js", b"function f(){" * 50_000),
    "one long line": ("a.py", b"x=1;" * 250_000),
    "guesses without end": ("a.cpp", b"a<b<" * 250_000),
    "a sequence in a sequence": ("a.yaml", b"- " * 50_000),
    "indentation": ("a.py", b"".join(b" " * depth + b"if x:\n" for depth in range(1_000))),
    "not UTF-8": ("a.js", b"\xff\xfe\x80" * 100_000),
    "NUL": ("a.go", b"\0" * 100_000),
    "documents": ("a.rb", b"<<A " * 50_000),
    "substitutions": ("a.sh", b"$((" * 100_000),
}


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    """Give the process that reads."""
    parser = Parser(limit_s=20.0)
    yield parser
    parser.close()


def parsed(parser: Parser, name: str, text: str) -> Syntax:
    """Return the syntax, which there is."""
    syntax = parser.parse(name, text.encode())
    assert syntax is not None
    return syntax


@pytest.mark.parametrize("name", FILES)
def test_definitions_and_calls(parser: Parser, name: str) -> None:
    """Each language gives its definitions with decorators, what is around them, and its calls."""
    text, definitions, calls = FILES[name]
    syntax = parsed(parser, name, text)
    found = [(one.kind, one.name, one.first_line, one.last_line, one.parent) for one in syntax.definitions]
    assert definitions == found
    assert calls == {(call.name, call.line) for call in syntax.all_calls}
    assert frozenset() == syntax.errors


def test_every_language_is_tried() -> None:
    """No language lacks a file here that parses, and one that does not."""
    assert set(PATTERNS) == {language_of(name) for name in FILES} == {language_of(name) for name in BROKEN}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_parse_is_seen(parser: Parser, name: str) -> None:
    """A file with a mistake has a line with an error."""
    syntax = parsed(parser, name, BROKEN[name])
    assert syntax.errors
    assert syntax.errors <= set(range(1, BROKEN[name].count("\n") + 2))


def test_errors_say_where(parser: Parser) -> None:
    """The line with the mistake is among the errors, those far from it are not."""
    syntax = parsed(parser, "a.py", "def f():\n    return 1\n\n\nx = = 2\n\n\ndef g():\n    return 2\n")
    assert frozenset({5}) == syntax.errors


def test_signature_is_the_text_before_the_body(parser: Parser) -> None:
    """It fits on one line, and a long one is clipped."""
    many = ", ".join(f"argument_{number}" for number in range(100))
    syntax = parsed(parser, "a.py", f"def f(a,\n      b) -> int:\n    return 1\ndef g({many}): pass\n")
    short, long = (one.signature for one in syntax.definitions)
    assert "def f(a, b) -> int" == short
    assert 241 == len(long)
    assert long.endswith("…")


def test_calls_and_definitions_of_lines(parser: Parser) -> None:
    """Lines know what they call, each name once, and what they stand in."""
    syntax = parsed(parser, "a.py", "class A:\n    def f(self):\n        g()\n        h()\n        g()\n")
    assert ("g", "h") == syntax.calls(3, 5)
    assert ("h",) == syntax.calls(4, 4)
    assert ["A", "f"] == [one.name for one in syntax.enclosing(3, 4)]
    assert ["A"] == [one.name for one in syntax.enclosing(1, 3)]


def test_files_without_grammar_have_no_syntax(parser: Parser) -> None:
    """What no grammar knows, and what is too large to be written by hand, is left alone."""
    assert parser.parse("a.unknown", b"x") is None
    assert parser.parse("py", b"x") is None
    assert parser.parse("a.py", b"x" * (MAX_BYTES + 1)) is None
    assert "cpp" == language_of("include/A.H")
    assert "ruby" == language_of("Gemfile")


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_only_hurt_themselves(case: str) -> None:
    """Whatever a file does, reading it ends in time, and the next file is read."""
    parser = Parser(limit_s=2.0)
    try:
        name, content = HOSTILE[case]
        parser.parse(name, content)
        for _ in range(3):
            if syntax := parser.parse("a.py", b"def f(): pass\n"):
                break
        assert syntax is not None
        assert ["f"] == [one.name for one in syntax.definitions]
    finally:
        parser.close()


def test_a_crash_of_the_grammar_is_survived() -> None:
    """A file that kills the process that reads it has no syntax, and the next one is read by another process."""
    parser = Parser(limit_s=20.0)
    try:
        assert parser.parse("a.yaml", b"- " * 50_000) is None
        assert parser.parse("a.yaml", b"a: 1\n") is not None
    finally:
        parser.close()


@pytest.mark.skipif(not seccomp_works(), reason="this kernel filters no system calls")
def test_the_process_that_reads_has_nothing_to_tell(parser: Parser) -> None:
    """It has no environment, and may not open sockets or start processes."""
    parsed(parser, "a.py", "x = 1")
    assert parser._process is not None
    place = Path(f"/proc/{parser._process.pid}")
    assert (place / "environ").read_bytes() in {b"", b"LC_CTYPE=C.UTF-8\0"}  # which Python sets itself
    assert "\nSeccomp:\t2\n" in (place / "status").read_text()


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="def class():\n\t {}[]\"'#=,.@xyé\0", max_size=200), st.sampled_from(sorted(PATTERNS))
)
def test_any_text_is_read(text: str, language: str) -> None:
    """Lines stay within the file, whatever it holds."""
    syntax = read(language, text.encode())
    last = text.count("\n") + 1
    assert all(1 <= one.first_line <= one.last_line <= last for one in syntax.definitions)
    assert all(1 <= call.line <= last for call in syntax.all_calls)
    assert all(1 <= line <= last for line in syntax.errors)
