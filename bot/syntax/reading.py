"""From bytes to what is known of them, in this process: nothing here is safe from hostile files."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import tree_sitter
import tree_sitter_language_pack

from bot.domain.outline import Call, Definition, Syntax
from bot.syntax.grammars import PATTERNS
from bot.syntax.lenient import tolerated

_MAX_DEFINITIONS: Final = 5_000
_MAX_CALLS: Final = 20_000
_MAX_ERRORS: Final = 10_000
_MAX_NAME_CHARS: Final = 100
_MAX_SIGNATURE_CHARS: Final = 240
#: Enough of a signature's bytes for that many characters.
_SIGNATURE_BYTES: Final = 1_000
_MAX_DEPTH: Final = 40

#: Parts of a definition that begin before the definition itself, or give it its name.
_WRAPPERS: Final = frozenset(
    {
        *("decorated_definition", "export_statement", "template_declaration", "lexical_declaration"),
        *("variable_declaration", "ambient_declaration", "statement"),
    }
)
_BODIES: Final = frozenset(
    {
        *("block", "class_body", "template_body", "function_body", "declaration_list", "enum_class_body"),
        *("body_statement", "protocol_body", "enum_body", "field_declaration_list", "create_query", "body"),
        *("pair", "column_definitions", "compound_statement", "statement_block", "switch_body"),
    }
)
_NAMES: Final = re.compile(r"identifier|^name$|object_reference|_key$|^constant$|^word$|^user_type$")
#: The last name in a chain such as ``a.b(c).d<T>``.
_LAST_NAME: Final = re.compile(r"([^\W\d][\w$]*[?!]?)\s*(?:<[^<>()]*>)?\s*$")


def read(language: str, content: bytes) -> Syntax:
    """Return what the syntax of *content* says; *language* is one of the patterns' keys."""
    parser, query = _tools(language)
    root = parser.parse(content).root_node
    captures = tree_sitter.QueryCursor(query).captures(root)
    wrong = itertools.chain(_broken(root), tolerated(language, root))
    broken = [node.start_point[0] + 1 for node in itertools.islice(wrong, _MAX_ERRORS)]
    called = captures.pop("call", [])
    found = ((kind, node) for kind, nodes in captures.items() for node in nodes)
    return Syntax(
        language,
        definitions=tuple(_definitions(found, content)),
        all_calls=tuple(_calls(called[:_MAX_CALLS], content)),
        errors=frozenset(broken),
        error_count=len(broken),
    )


@functools.cache
def _tools(language: str) -> tuple[tree_sitter.Parser, tree_sitter.Query]:
    name: Any = language
    grammar = tree_sitter_language_pack.get_language(name)
    return tree_sitter.Parser(grammar), tree_sitter.Query(grammar, PATTERNS[language])


def _broken(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield the innermost nodes that hold an error; what is missing may have no node of its own."""
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        inner = [child for child in node.children if child.has_error]
        if node.is_error or node.is_missing or not inner:
            yield node
        waiting += inner


def _start(node: tree_sitter.Node) -> tuple[int, int]:
    return node.start_byte, -node.end_byte


def _definitions(found: Iterable[tuple[str, tree_sitter.Node]], content: bytes) -> Iterator[Definition]:
    around: list[tuple[int, str]] = []
    ordered = sorted(found, key=lambda one: _start(one[1]))[:_MAX_DEFINITIONS]
    for kind, node in ordered:
        name = _name(node, content)
        if not name:
            continue
        while around and around[-1][0] <= node.start_byte:
            around.pop()
        whole = _wrapped(node)
        yield Definition(
            kind,
            name,
            first_line=whole.start_point[0] + 1,
            last_line=_last_line(whole),
            signature=_signature(node, content),
            parent=".".join(one for _, one in around[-_MAX_DEPTH:]),
            line=node.start_point[0] + 1,
        )
        around.append((node.end_byte, name))


def _wrapped(node: tree_sitter.Node) -> tree_sitter.Node:
    while node.parent is not None and node.parent.type in _WRAPPERS:
        node = node.parent
    return node


def _last_line(node: tree_sitter.Node) -> int:
    row, column = node.end_point
    return max(row + 1 if column else row, node.start_point[0] + 1)


def _name(node: tree_sitter.Node, content: bytes) -> str:
    if node.type == "block":
        return (
            _text(content, node.start_byte, _head_end(node)).rstrip(" {").replace('"', "")[-_MAX_NAME_CHARS:]
        )
    at: tree_sitter.Node | None = node
    for _ in range(_MAX_DEPTH):
        assert at is not None
        inner = at.child_by_field_name("name") or at.child_by_field_name("declarator")
        if inner is None:
            break
        at = inner
    if at is node:
        at = (
            node.child_by_field_name("type")
            or node.child_by_field_name("left")
            or node.child_by_field_name("key")
        )
    if at is None:
        at = next((child for child in node.named_children[:8] if _NAMES.search(child.type)), None)
    if at is None:
        return "init" if node.type in {"init_declaration", "secondary_constructor"} else ""
    return _text(content, at.start_byte, at.end_byte)[-_MAX_NAME_CHARS:]


def _head_end(node: tree_sitter.Node) -> int:
    """Return where the body of a definition begins, or else its end."""
    body = node.child_by_field_name("body")
    for field in ("value", "right"):
        value = node.child_by_field_name(field)
        if body is None and value is not None:
            body = value.child_by_field_name("body")
    if body is None:
        body = next((child for child in node.named_children[:40] if child.type in _BODIES), None)
    return body.start_byte if body is not None else node.end_byte


def _signature(node: tree_sitter.Node, content: bytes) -> str:
    end = min(_head_end(node), node.start_byte + _SIGNATURE_BYTES)
    text = _text(content, node.start_byte, end).removesuffix("=>").rstrip("{=:; ")
    return text if len(text) <= _MAX_SIGNATURE_CHARS else f"{text[:_MAX_SIGNATURE_CHARS]}…"


def _calls(nodes: Iterable[tree_sitter.Node], content: bytes) -> Iterator[Call]:
    for node in sorted(nodes, key=_start):
        text = _text(content, max(node.start_byte, node.end_byte - _MAX_NAME_CHARS), node.end_byte)
        if match := _LAST_NAME.search(text):
            yield Call(match[1], node.end_point[0] + 1)


def _text(content: bytes, first: int, end: int) -> str:
    return " ".join(content[first:end].decode(errors="replace").split())
