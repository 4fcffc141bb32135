"""A parsed file with line numbers, whatever its syntax; every access tolerates a wrong type."""

from __future__ import annotations

from collections.abc import Iterator

from bot.scanners.lockfiles.package import Unreadable

#: Deeper is no file that a package manager wrote.
MAX_DEPTH = 64

#: Marks and values; a lock file of two thousand packages has a fifth of them.
MOST_TOKENS = 1_000_000


class Node:
    """Hold a value: a mapping, a list, a string, a truth value, or None for anything else.

    ``line`` is where its key stands or, in a list, where it begins; ``end_line`` is where it ends.
    """

    __slots__ = ("end_line", "line", "value")

    def __init__(
        self, value: dict[str, Node] | list[Node] | str | bool | None, line: int, end_line: int
    ) -> None:
        self.value = value
        self.line = line
        self.end_line = end_line

    def __getitem__(self, key: str) -> Node:
        """Return the value at *key*, one without content when there is none."""
        return self.value.get(key, _NOTHING) if isinstance(self.value, dict) else _NOTHING

    def __bool__(self) -> bool:
        """Say whether there is anything."""
        return bool(self.value)

    @property
    def text(self) -> str:
        """Return the string, empty if it is none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def flag(self) -> bool:
        """Say whether it is true, in any spelling."""
        return self.value is True or self.value == "true"

    @property
    def is_mapping(self) -> bool:
        """Say whether it has keys."""
        return isinstance(self.value, dict)

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield keys and values; none if it is no mapping."""
        if isinstance(self.value, dict):
            yield from self.value.items()

    def values(self) -> Iterator[Node]:
        """Yield the values of a mapping; none if it is no mapping."""
        if isinstance(self.value, dict):
            yield from self.value.values()

    def elements(self) -> Iterator[Node]:
        """Yield the elements; none if it is no list."""
        if isinstance(self.value, list):
            yield from self.value

    def names(self) -> list[str]:
        """Return the keys of a mapping, or the strings of a list."""
        return list(self.value) if isinstance(self.value, dict) else [e.text for e in self.elements()]


_NOTHING = Node(None, 1, 1)


def mapping(node: Node) -> Node:
    """Return *node* if it is a mapping.

    Raises:
        Unreadable: it is not, so that this is another file than its name says.
    """
    if not node.is_mapping:
        raise Unreadable("not what its name says: it does not hold named values")
    return node
