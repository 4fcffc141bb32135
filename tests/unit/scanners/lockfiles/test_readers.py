"""JSON, TOML, YAML and XML with line numbers: the same values as the usual readers, bounds, places."""

import contextlib
import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.scanners.lockfiles import json_reader, toml_reader, xml_reader, yaml_reader
from bot.scanners.lockfiles.package import Unreadable
from bot.scanners.lockfiles.tree import Node

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
#: PyYAML writes these, and reads something else or nothing.
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


def trees(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Return mappings of what the readers tell apart."""
    leaves = st.booleans() | text
    values = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=20,
    )
    return st.dictionaries(text, values, max_size=5)


def plain(node: Node) -> Any:
    """Return what a node stands for, without places."""
    if isinstance(node.value, dict):
        return {name: plain(value) for name, value in node.items()}
    if isinstance(node.value, list):
        return [plain(value) for value in node.elements()]
    return node.value


def toml_of(value: Any) -> str:
    """Write a value as TOML; JSON's strings are basic strings but for one character."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_of(k)} = {toml_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {toml_of(v)}, # one\n" for v in value) + "]"
    return json.dumps(value).replace("\x7f", "\\u007f") if not isinstance(value, str) else quoted(value)


def quoted(text: str) -> str:
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text) + '"'


@given(trees(TEXT), st.sampled_from([None, 1]))
def test_json_is_read_as_json(value: Any, indent: int | None):
    """Values are those of the standard library."""
    assert value == plain(json_reader.read(json.dumps(value, indent=indent)))


@given(st.text(alphabet='{}[],:"\\ \nabu0123.-+etrfalsn', max_size=40))
def test_json_agrees_on_what_is_json(text: str):
    """What the standard library refuses is refused, and the other way round."""
    try:
        expected: Any = json.loads(text)
    except ValueError:
        with pytest.raises(Unreadable):
            json_reader.read(text)
    else:
        found = plain(json_reader.read(text))
        assert found == expected or not isinstance(expected, dict | str)


def test_json_knows_its_lines():
    """A value starts where its key stands."""
    root = json_reader.read('{\n "a": {\n  "b":\n   "x",\n  "c": ["y",\n "z"]\n }\n}')
    a = root["a"]
    assert [(2, 7), (3, 4), (5, 6)] == [(n.line, n.end_line) for n in (a, a["b"], a["c"])]
    assert [5, 6] == [element.line for element in a["c"].elements()]


@given(trees(TEXT))
def test_toml_is_read_as_toml(value: dict[str, Any]):
    """Values are those of the standard library."""
    text = "".join(f"{toml_of(name)} = {toml_of(inner)}\n" for name, inner in value.items())
    assert value == tomllib.loads(text) == plain(toml_reader.read(text))


def test_toml_tables_strings_and_lines():
    """Tables, lists of tables, dotted keys and every kind of string are as in the standard library."""
    text = (
        'a.b = "x"  # why\n[t]\nk = \'c:\\d\'\n"q.r" = """\n  one\\\n    two "" three"""\n[[p]]\nn = 1\n'
        "s = '''raw\n'''\n[p.q]\nz = { y = [1, 2.5, 1979-05-27 07:32:00Z], w = true }\n[[p]]\nn = \"2\"\n"
    )
    found, expected = toml_reader.read(text), tomllib.loads(text)
    assert expected["t"] == plain(found["t"])
    assert expected["a"] == plain(found["a"])
    first, second = found["p"].elements()
    assert ("raw\n", "2", True) == (first["s"].text, second["n"].text, first["q"]["z"]["w"].flag)
    assert [1, 3, 4, 9, 14] == [
        n.line for n in (found["a"]["b"], found["t"]["k"], found["t"]["q.r"], first["s"], second["n"])
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a =",
        "= 1",
        "[a",
        "[[a]",
        'a = "',
        "a = [1",
        "a = {b",
        'a = "\\q"',
        "a = 1\na = 2",
        "[a]\nb=1\n[a.b]",
    ],
)
def test_what_is_not_toml_is_refused(text: str):
    """With the line."""
    with pytest.raises(Unreadable, match=r"in line \d"):
        toml_reader.read(text)


@given(trees(PLAIN), st.booleans())
def test_yaml_is_read_as_yaml(value: Any, flow: bool):
    """Values are those of PyYAML, truth values as text."""

    def as_text(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {name: as_text(v) for name, v in inner.items()}
        return (
            [as_text(v) for v in inner]
            if isinstance(inner, list)
            else str(inner).lower()
            if inner in (True, False) and isinstance(inner, bool)
            else inner
        )

    text = yaml.safe_dump(value, default_flow_style=flow, sort_keys=False)
    if "!!" not in text and "&" not in text:
        assert as_text(value) == plain(yaml_reader.read(text))


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x", "a: !!python/none x", "a: [", "? [a]\n: b", "a: *b"])
def test_what_could_multiply_or_act_is_refused(text: str):
    """Anchors, aliases, tags and keys that are no text."""
    with pytest.raises(Unreadable):
        yaml_reader.read(text)


def test_xml_knows_its_lines():
    """Elements are found by name, whatever the prefix of their namespace."""
    root = xml_reader.read('<p xmlns="u">\n <a>\n  <n:b xmlns:n="v"> x\n</n:b><b>y</b></a>\n</p>')
    first, second = root.all("a", "b")
    assert ("x", 3, 4) == (first.text, first.line, first.end_line)
    assert ("y", "") == (second.text, root.child("a", "none").text)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE p [<!ENTITY a "b">]>',
        '<!DOCTYPE p SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_xml_has_no_entities(head: str):
    """A document type ends the reading before anything is expanded or opened."""
    with pytest.raises(Unreadable, match="document type"):
        xml_reader.read(f"{head}<p>&x;</p>")


READERS = [json_reader.read, toml_reader.read, yaml_reader.read, xml_reader.read]
BOMBS = {
    "arrays": "[" * 1_000_000,
    "closed arrays": "[" * 500_000 + "]" * 500_000,
    "objects": '{"a":' * 500_000,
    "toml arrays": "a = " + "[" * 1_000_000,
    "toml tables": "a = " + "{a=" * 500_000,
    "toml dotted key": ".".join(["a"] * 500_000) + " = 1",
    "toml header": "[" + ".".join(["a"] * 500_000) + "]",
    "toml dotted keys": ".".join(["a"] * 30)
    + "=1\n"
    + "".join(f"[{'.'.join(['a'] * 30)}.b{i}]\n" for i in range(20_000)),
    "quotes": '"' * 1_000_000,
    "open string": '{"a": "' + "x" * 5_000_000,
    "open multi-line string": 'a = """' + 'x""' * 1_000_000,
    "backslashes": 'a = "' + "\\\\" * 1_000_000,
    "json backslashes": '{"' + "\\\\" * 1_000_000,
    "blank lines": "\n" * 5_000_000,
    "comments": "#\n" * 2_000_000,
    "blanks": " " * 5_000_000 + "x",
    "yaml indents": "".join(" " * i + "a:\n" for i in range(2_000)),
    "yaml sequence": "- " * 500_000,
    "yaml keys": "? " * 500_000,
    "yaml aliases": "a: &a [x]\n" + "b: [*a, *a]\n" * 10,
    "numbers": "[" + "1" * 5_000_000 + "]",
    "commas": "[" + "1," * 300_000,
    "xml depth": "<a>" * 500_000,
    "xml width": "<a>" + "<b/>" * 500_000 + "</a>",
    "xml text": "<a>" + "x" * 5_000_000 + "</a>",
    "xml attributes": "<a " + " ".join(f'a{i}="1"' for i in range(100_000)) + "/>",
    "control characters": "\x01\x02" * 1_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("read", READERS, ids=["json", "toml", "yaml", "xml"])
def test_bombs_are_read_or_refused_soon(read: Callable[[str], Any], bomb: str):
    """Neither time nor the stack runs away."""
    with contextlib.suppress(Unreadable):
        read(BOMBS[bomb])


@pytest.mark.parametrize("read", READERS, ids=["json", "toml", "yaml", "xml"])
@given(text=st.text(max_size=60) | st.text(alphabet="[]{}<>/=:\"'\\-?&*!#., \n\tab1", max_size=60))
def test_any_text_is_read_or_refused(read: Callable[[str], Any], text: str):
    """Nothing but `Unreadable` comes out."""
    with contextlib.suppress(Unreadable):
        read(text)
