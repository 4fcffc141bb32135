"""What grammars let pass, although no compiler does: they are made for editors, where code is half written."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import tree_sitter
import tree_sitter_language_pack

#: So many places per file are looked at more closely.
_MOST: Final = 2_000

_JS_FUNCTIONS: Final = frozenset(
    {
        *("function_declaration", "function_expression", "arrow_function", "method_definition"),
        *("generator_function", "generator_function_declaration"),
    }
)
#: What decides by itself whether something inside may be awaited, by language.
_FUNCTIONS: Final[Mapping[str, frozenset[str]]] = {
    "javascript": _JS_FUNCTIONS,
    "typescript": _JS_FUNCTIONS,
    "tsx": _JS_FUNCTIONS,
    "csharp": frozenset(
        {
            *("method_declaration", "local_function_statement", "lambda_expression"),
            *("anonymous_method_expression", "constructor_declaration", "property_declaration"),
        }
    ),
    "rust": frozenset({"function_item", "closure_expression", "async_block"}),
}


def tolerated(language: str, root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield the nodes below *root* that are errors all the same."""
    for pattern, wrong in _SUSPECTS.get(language, ()):
        found = tree_sitter.QueryCursor(_query(language, pattern)).captures(root).get("suspect", [])
        yield from (node for node in itertools.islice(found, _MOST) if wrong(language, node))


@functools.cache
def _query(language: str, pattern: str) -> tree_sitter.Query:
    name: Any = language
    return tree_sitter.Query(tree_sitter_language_pack.get_language(name), pattern)


def _always(_: str, __: tree_sitter.Node) -> bool:
    return True


def _stray(_: str, node: tree_sitter.Node) -> bool:
    """Say whether an ``end`` is taken for a variable, which none can be called."""
    parent = node.parent
    named = [parent.child_by_field_name(field) for field in ("method", "name")] if parent else []
    return node.text == b"end" and node not in named


def _unended(_: str, node: tree_sitter.Node) -> bool:
    """Say whether a document in the code goes on to the end of the file."""
    return node.start_byte == node.end_byte


def _ended_askew(_: str, node: tree_sitter.Node) -> bool:
    """Say whether what the grammar takes for the end of a document is a line of it for the shell."""
    redirect = node.parent
    if _unended("", node) or redirect is None:
        return True
    before = (redirect.text or b"")[: node.start_byte - redirect.start_byte].rpartition(b"\n")[2]
    return bool(before.lstrip(b"\t")) or (bool(before) and redirect.children[0].type != "<<-")


def _cannot_wait(language: str, node: tree_sitter.Node) -> bool:
    """Say whether something is awaited in a function that is not asynchronous; modules may wait."""
    functions, around = _FUNCTIONS[language], node.parent
    while around is not None and around.type not in functions:
        around = around.parent
    if around is None or around.type == "async_block":
        return False
    heads = itertools.takewhile(lambda one: one.type not in {"block", "statement_block"}, around.children)
    return not any(b"async" in (head.text or b"").split() for head in heads)


_Suspects = tuple[tuple[str, Callable[[str, tree_sitter.Node], bool]], ...]
_AWAITED: Final[_Suspects] = (("(await_expression) @suspect", _cannot_wait),)
_DOCUMENT_END: Final = "(heredoc_end) @suspect"
_MISPLACED: Final[_Suspects] = (("(erroneous_end_tag) @suspect", _always),)
_SUSPECTS: Final[Mapping[str, _Suspects]] = {
    "ruby": (("(identifier) @suspect", _stray), (_DOCUMENT_END, _unended)),
    "bash": ((_DOCUMENT_END, _ended_askew),),
    "html": _MISPLACED,
    "vue": _MISPLACED,
    **dict.fromkeys(_FUNCTIONS, _AWAITED),
}
