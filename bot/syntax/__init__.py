"""The syntax of source files, read by tree-sitter in a process of its own.

Files come from merge requests, and grammars are C that hostile files can crash. So that process is confined like
a scanner's tool, and is killed and replaced when it takes too long or dies.
"""

from bot.domain.outline import Call, Definition, Syntax
from bot.syntax.grammars import language_of
from bot.syntax.parser import MAX_BYTES, Parser, mutants, parse

__all__ = ["MAX_BYTES", "Call", "Definition", "Parser", "Syntax", "language_of", "mutants", "parse"]
