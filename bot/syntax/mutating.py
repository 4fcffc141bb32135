"""Where code can be broken in a way that still parses; in this process, so nothing here is safe from hostile files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

import tree_sitter
import tree_sitter_language_pack

from bot.domain.mutation import Mutant

_MOST: Final = 200
_MAX_NODES: Final = 50_000
_MAX_CONDITION_BYTES: Final = 400

_SWAPS: Final = {
    "==": "!=",
    "!=": "==",
    "===": "!==",
    "!==": "===",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "+=": "-=",
    "-=": "+=",
    "++": "--",
    "--": "++",
    "and": "or",
    "or": "and",
    "&&": "||",
    "||": "&&",
}
_CONSTANTS: Final = {"true": "false", "false": "true", "True": "False", "False": "True"}
#: Signs mean something else in types, pointers and patterns.
_OPERATIONS: Final = re.compile(r"binary|comparison|boolean_op|unary|update|augmented|assignment|inc_|dec_")
_INTEGERS: Final = re.compile(r"^(?:integer|number|int_literal|decimal_integer_literal|integer_literal)$")
_CONDITIONAL: Final = re.compile(r"^(?:if|while|elif)_(?:statement|expression|clause)$")
_NOTHING: Final = {"python": "None", "javascript": "undefined", "typescript": "undefined", "tsx": "undefined"}


def mutants(language: str, content: bytes, first: int, last: int) -> tuple[Mutant, ...]:
    """Return ways to break the lines *first* to *last* (1-based), a bounded number of them."""
    name: object = language
    parser = tree_sitter.Parser(tree_sitter_language_pack.get_language(name))  # type: ignore[arg-type]
    found = (
        mutant
        for node in itertools.islice(_within(parser.parse(content).root_node, first, last), _MAX_NODES)
        for mutant in _of(node, language, content)
    )
    return tuple(itertools.islice(found, _MOST))


def _within(root: tree_sitter.Node, first: int, last: int) -> Iterator[tree_sitter.Node]:
    """Yield the nodes that stand within the lines, in order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        begins, ends = node.start_point[0] + 1, node.end_point[0] + 1
        if ends < first or begins > last:
            continue
        if begins >= first and ends <= last:
            yield node
        waiting.extend(reversed(node.children))


def _of(node: tree_sitter.Node, language: str, content: bytes) -> Iterator[Mutant]:
    text = content[node.start_byte : node.end_byte].decode(errors="replace")
    if node.child_count == 0:
        yield from _leaf(node, text)
    elif _CONDITIONAL.match(node.type):
        yield from _negated(node, language, content)
    elif node.type == "return_statement" and language in _NOTHING and node.named_child_count:
        value = node.named_children[0]
        was = content[value.start_byte : value.end_byte].decode(errors="replace")
        if was != _NOTHING[language]:
            change = f"returns {_NOTHING[language]} in line {node.start_point[0] + 1}"
            yield _mutant("return", value, _NOTHING[language], change)


def _leaf(node: tree_sitter.Node, text: str) -> Iterator[Mutant]:
    line, parent = node.start_point[0] + 1, node.parent
    if text in _SWAPS and parent is not None and _OPERATIONS.search(parent.type):
        change = f"{text} became {_SWAPS[text]} in line {line}"
        yield _mutant("operator", node, _SWAPS[text], change)
    elif text in _CONSTANTS and node.type in (*_CONSTANTS, "boolean", "boolean_literal"):
        yield _mutant("constant", node, _CONSTANTS[text], f"{text} became {_CONSTANTS[text]} in line {line}")
    elif _INTEGERS.match(node.type) and text.isascii() and text.isdecimal() and len(text) < 10:
        more = str(int(text) + 1)
        yield _mutant("number", node, more, f"{text} became {more} in line {line}")


def _negated(node: tree_sitter.Node, language: str, content: bytes) -> Iterator[Mutant]:
    condition = node.child_by_field_name("condition")
    if condition is None or condition.end_byte - condition.start_byte > _MAX_CONDITION_BYTES:
        return
    text = content[condition.start_byte : condition.end_byte].decode(errors="replace")
    negation = "not " if language == "python" else "!"
    inner = text if condition.type == "parenthesized_expression" else f"({text})"
    replacement = f"({negation}{inner})" if condition.type == "parenthesized_expression" else negation + inner
    yield _mutant(
        "condition", condition, replacement, f"the condition in line {node.start_point[0] + 1} was negated"
    )


def _mutant(kind: str, node: tree_sitter.Node, replacement: str, change: str) -> Mutant:
    return Mutant(kind, node.start_byte, node.end_byte, replacement, node.start_point[0] + 1, change)
