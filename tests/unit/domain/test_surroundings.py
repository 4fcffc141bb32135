"""Hunks come with what encloses them, under the right numbers, and every added line exactly once."""

import difflib

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.context import Context
from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.excerpt import Source
from bot.domain.outline import Definition, Syntax
from bot.domain.prompt import Limits, Prompts, build
from bot.domain.surroundings import Ground, excerpts, halves, wishes
from bot.syntax.reading import read

CART = """\
import money


class Cart:
    @traced
    def total(
        self, items
    ):
        total = 0
        for item in items:
            total += item.price
            total += item.tax
            if item.gift:
                total += 1
            total -= 0
        total = money.rounded(total)
        return total

    def clear(self):
        self.items = []


def unrelated():
    return 1
"""


def change(old: str, new: str, path: str = "cart.py") -> FileDiff:
    """Return the diff between two texts, as git would give it."""
    before, after = old.split("\n"), new.split("\n")
    hunks = []
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(3):
        lines: list[DiffLine] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [
                    DiffLine(Sign.context, i1 + n + 1, j1 + n + 1, before[i1 + n]) for n in range(i2 - i1)
                ]
            else:
                lines += [DiffLine(Sign.removed, i + 1, None, before[i]) for i in range(i1, i2)]
                lines += [DiffLine(Sign.added, None, j + 1, after[j]) for j in range(j1, j2)]
        first, last = group[0], group[-1]
        hunks.append(
            Hunk(first[1] + 1, last[2] - first[1], first[3] + 1, last[4] - first[3], "", tuple(lines))
        )
    return FileDiff(path, path, Change.modified, hunks=tuple(hunks))


def ground(text: str) -> Ground:
    """Return what is known of a Python file without secrets."""
    return Ground(Source.of(text, lambda text: text), read("python", text.encode()))


def shown(new: str, *replacements: tuple[str, str], **options: object) -> Prompts:
    """Return the prompts for a change of the cart, as the syntax suggests."""
    for before, after in replacements:
        new = new.replace(before, after)
    usual = {
        "title": "",
        "description": "",
        "system": "",
        "limits": Limits(16_384),
        "estimate": lambda text: len(text) // 3 + 1,
        "redact": lambda text: text,
        "context": Context(syntaxes={"cart.py": read("python", new.encode())}),
    }
    return build(Diff((change(CART, new),)), {"cart.py": new}, **(usual | options))


def test_a_hunk_comes_with_its_whole_function():
    """From decorator to last line, below the head of the class, and without its neighbours."""
    (part,) = shown(CART, ("item.gift", "item.present")).parts
    (excerpt,) = part.excerpts
    assert list(range(5, 18)) == sorted(excerpt.shown)
    assert {13} == excerpt.added
    assert ["    4   class Cart:"] == [str(row) for row in excerpt.enclosing]


def test_a_function_that_is_too_long_gives_its_head():
    """The lines around the hunk stay, and so do the blocks between."""
    (part,) = shown(CART, ("item.gift", "item.present"), limits=Limits(16_384, part_tokens=100)).parts
    (excerpt,) = part.excerpts
    assert list(range(10, 17)) == sorted(excerpt.shown)
    assert [4, 6, 8] == [row.number for row in excerpt.enclosing]


def test_hunks_in_one_function_become_one_excerpt():
    """What lies between them is shown once."""
    built = shown(CART, ("total = 0", "total = 1"), ("return total", "return -total"))
    (excerpt,) = built.parts[0].excerpts
    assert list(range(5, 21)) == [row.number for row in excerpt.rows if row.number]
    assert {9, 17} == excerpt.added


def test_surroundings_that_meet_become_one_excerpt():
    """One line of room between them keeps them apart."""
    old = "\n".join(f"x{n}" for n in range(1, 31))
    new = old.replace("x5\n", "y5\n").replace("x25\n", "y25\n")
    file, known = change(old, new), ground(new)
    for second, expected in ((15, 1), (16, 1), (17, 2)):
        found = excerpts(file, known, lambda text: text, {0: (1, 15), 1: (second, 30)})
        numbers = [row.number for excerpt in found for row in excerpt.rows if row.number]
        assert expected == len(found)
        assert [n for n in range(1, 31) if n != 16 or second < 17] == numbers


def test_lines_around_a_hunk_know_that_they_are_masked():
    """A fix must not put the mask into the code."""
    (part,) = shown(
        CART, ("item.gift", "item.present"), redact=lambda text: text.replace("item.price", "*" * 10)
    ).parts
    assert {11} == {number for number, row in part.excerpts[0].shown.items() if row.altered}


def test_long_excerpts_are_cut_where_functions_begin():
    """The outermost definitions are the best places."""
    text = "".join(f"def f{n}():\n    if x:\n        y()\n\n    return {n}\n\n\n" for n in range(20))
    file = FileDiff("a.py", "a.py", Change.added, hunks=change("", text, "a.py").hunks)
    (whole,) = excerpts(file, ground(text), lambda text: text)
    cut = halves(whole, ground(text))
    assert cut is not None
    first, second = cut
    assert second.rows[0].text.startswith("def f")
    assert (*first.rows, *second.rows) == whole.rows


def test_hunks_between_definitions_wish_for_nothing():
    """An import is understood without the classes below it."""
    new = CART.replace("import money", "import cash")
    assert [] == list(wishes(change(CART, new), ground(new), len))


def test_a_module_is_no_reason_to_show_all_of_it():
    """Between the functions of a namespace the lines around a hunk must do."""
    new = CART.replace("import money", "import cash")
    syntax = Syntax("cpp", (Definition("module", "n", 1, 24, "namespace n"),))
    assert [] == list(wishes(change(CART, new), Ground(Source.of(new, lambda text: text), syntax), len))
    inside = Syntax("cpp", (Definition("class", "n", 1, 24, "class n"),))
    assert [] != list(wishes(change(CART, new), Ground(Source.of(new, lambda text: text), inside), len))


def test_without_grammar_indentation_tells():
    """A file that nobody can parse still has its enclosing lines."""
    (part,) = shown(CART, ("item.gift", "item.present"), context=Context()).parts
    assert [4, 8] == [row.number for row in part.excerpts[0].enclosing]


_DEFINITIONS = st.builds(
    lambda first, length, kind: Definition(kind, "f", first, first + length, "def f()", line=first),
    st.integers(1, 40),
    st.integers(0, 60),
    st.sampled_from(["function", "class", "module", "block"]),
)
_LINES = st.lists(
    st.sampled_from(["", "x = 1", "    y()", "def f():", "~~~~ data 1 ~~~~", "        z"]), max_size=40
)


@given(_LINES, _LINES, st.lists(_DEFINITIONS, max_size=6), st.integers(150, 2_000), st.integers(1_100, 4_000))
def test_every_added_line_is_shown_once_under_its_number(
    old: list[str], new: list[str], definitions: list[Definition], part: int, window: int
):
    """Whatever a grammar says, true or not: texts and numbers are the head's, and no prompt exceeds the window."""
    head = "\n".join(new)
    file = change("\n".join(old), head)
    system = "s" * 100
    built = build(
        Diff((file,)),
        {"cart.py": head},
        title="t",
        description="d",
        system=system,
        limits=Limits(window, answer_tokens=512, part_tokens=part, max_parts=50),
        estimate=len,
        redact=lambda text: text,
        context=Context(syntaxes={"cart.py": Syntax("python", tuple(definitions))}),
    )
    rows = [row for each in built.parts for excerpt in each.excerpts for row in excerpt.rows]
    added = [row.number for row in rows if row.sign is Sign.added]
    assert len(added) == len(set(added))
    if not built.skipped:
        assert file.added_lines == set(added)
    numbers = [row.number for row in rows if row.number]
    assert sorted(set(numbers)) == sorted(numbers)
    for each in built.parts:
        for excerpt in each.excerpts:
            own = [row.number for row in excerpt.rows if row.number]
            assert list(range(own[0], own[0] + len(own))) == own if own else True
    assert all(row.text == head.split("\n")[row.number - 1] for row in rows if row.number)
    assert all(len(system) + len(each.prompt) + 512 <= window for each in built.parts)
