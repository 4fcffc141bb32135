"""The process that reads syntax: requests come through its input, answers go to its output, nothing else.

It gives up what it does not need before it sees the first file.
"""

from __future__ import annotations

import resource
import sys

from pydantic import TypeAdapter

from bot.domain.mutation import Mutant
from bot.domain.outline import Syntax
from bot.syntax.mutating import mutants
from bot.syntax.parser import READY
from bot.syntax.reading import read

_MEMORY_BYTES = 2_000_000_000
_OPEN_FILES = 32


def main() -> None:
    """Answer requests until the input ends."""
    for limit, wanted in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, most = resource.getrlimit(limit)
        value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(limit, (value, value))
    answers, broken = TypeAdapter(Syntax), TypeAdapter(tuple[Mutant, ...])
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sink.write(READY)
    sink.flush()
    while header := source.readline():
        language, size, *lines = header.split()
        content = source.read(int(size))
        if lines:
            first, last = map(int, lines)
            answer = broken.dump_json(mutants(language.decode(), content, first, last))
        else:
            answer = answers.dump_json(read(language.decode(), content))
        sink.write(b"%d\n%s" % (len(answer), answer))
        sink.flush()


if __name__ == "__main__":
    main()
