"""XML with line numbers, streamed: no document types, so no entities and nothing from outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from bot.scanners.lockfiles.package import Unreadable
from bot.scanners.lockfiles.tree import MAX_DEPTH

_MOST_ELEMENTS = 200_000


@dataclass(slots=True)
class Element:
    """Hold one element; ``name`` is without its namespace."""

    name: str
    line: int
    end_line: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, *names: str) -> Element:
        """Return the first element at that path, an empty one if there is none."""
        found: Element = self
        for name in names:
            found = next((child for child in found.children if child.name == name), Element("", 1, 1))
        return found

    def all(self, *names: str) -> Iterator[Element]:
        """Yield every element at that path."""
        first, *rest = names
        for child in self.children:
            if child.name == first:
                if rest:
                    yield from child.all(*rest)
                else:
                    yield child

    def walk(self) -> Iterator[Element]:
        """Yield this element and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def read(text: str) -> Element:
    """Return the root element.

    Raises:
        Unreadable: this is not XML, it is nested too deeply, or it holds a document type.
    """
    handler = _Handler()
    try:
        handler.parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise Unreadable(f"not XML in line {error.lineno}") from None
    return handler.root.children[0]


class _Handler:
    """Build the tree from expat's calls."""

    def __init__(self) -> None:
        self.root = Element("", 1)
        self.parser = expat.ParserCreate(encoding="utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._open = [self.root]
        self._count = 0

    def _refuse(self, *_: object) -> None:
        raise Unreadable("it holds a document type declaration")

    def _start(self, name: str, _attributes: object) -> None:
        self._count += 1
        if len(self._open) > MAX_DEPTH or self._count > _MOST_ELEMENTS:
            raise Unreadable("nested too deeply, or more elements than can be read")
        element = Element(name.rpartition(":")[2], self.parser.CurrentLineNumber)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        element.end_line = self.parser.CurrentLineNumber
        element.text = element.text.strip()

    def _text(self, data: str) -> None:
        element = self._open[-1]
        if len(element.text) < 1_000:
            element.text += data
