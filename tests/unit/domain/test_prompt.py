"""Prompts show every added line under its right number, or say that they do not."""

import difflib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.prompt import LEAST_WINDOW_TOKENS, Instructions, Limits, Prompts, Skipped, build, instructions
from bot.domain.tokens import TokenGauge

RULES = {path.name: path.read_text() for path in Path("rules/review").glob("*.md")}
LIMITS = Limits(window_tokens=16_384)
NUMBERED = re.compile(r"^ *(\d+) \+ ?(.*)$", re.MULTILINE)


def change(path: str, old: str, new: str) -> FileDiff:
    """Return the diff between two texts, as git would give it."""
    before, after = old.split("\n") if old else [], new.split("\n")
    hunks = []
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(3):
        lines = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [
                    DiffLine(Sign.context, i + 1, j + 1, before[i])
                    for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
                ]
                continue
            lines += [DiffLine(Sign.removed, i + 1, None, before[i]) for i in range(i1, i2)]
            lines += [DiffLine(Sign.added, None, j + 1, after[j]) for j in range(j1, j2)]
        first, last = group[0], group[-1]
        hunks.append(
            Hunk(first[1] + 1, last[2] - first[1], first[3] + 1, last[4] - first[3], "", tuple(lines))
        )
    return FileDiff(path, path, Change.modified if old else Change.added, hunks=tuple(hunks))


def prompts(*files: FileDiff, heads: dict[str, str] | None = None, **options: object) -> Prompts:
    """Build prompts with one token per three characters and nothing to mask."""
    usual = {
        "title": "Add totals",
        "description": "As asked.",
        "system": "",
        "limits": LIMITS,
        "estimate": lambda text: len(text) // 3 + 1,
        "redact": lambda text: text,
    }
    return build(Diff(files), heads or {}, **(usual | options))


def numbered(built: Prompts) -> list[tuple[int, str]]:
    """Return the added lines that the prompts show."""
    return [(int(line), text) for part in built.parts for line, text in NUMBERED.findall(part.prompt)]


OLD = "class Cart:\n    def total(self, items):\n        total = 0\n\n        for item in items:\n            total += item\n        return total\n"
NEW = OLD.replace("for item in items:", "for item in items[1:]:")


def test_lines_carry_their_number_at_the_head():
    """Added and context lines have new numbers, removed ones none; what encloses the hunk stands above it."""
    built = prompts(change("cart.py", OLD, NEW), heads={"cart.py": NEW})

    shown = built.parts[0].prompt.split("\n")
    start = shown.index('File: "cart.py"')
    expected = [
        "    1   class Cart:",
        "  ...",
        "    2       def total(self, items):",
        "    3           total = 0",
        "    4",
        "      -         for item in items:",
        "    5 +         for item in items[1:]:",
        "    6               total += item",
    ]
    assert expected == shown[start + 1 : start + 9]
    assert built.skipped == ()


def test_the_beginning_is_the_same_in_every_prompt_of_a_revision():
    """What the server has evaluated once, it need not evaluate again."""
    one = change("a.py", "", "x = 1\n" * 200)
    two = change("b.py", "", "y = 1\n" * 200)
    built = prompts(one, two, limits=Limits(window_tokens=16_384, part_tokens=500))

    first, second = (part.prompt[: part.prompt.index("File:")] for part in built.parts[:2])
    assert first == second
    assert "Title: Add totals\nDescription: As asked." in first


def test_instructions_are_rules_then_schema_with_a_version():
    """The version names exactly that text; order of files does not depend on the file system."""
    one = instructions({"2.md": "two\n", "1.md": "one\n"})
    other = instructions({"1.md": "one", "2.md": "two"})

    assert one == other
    assert one.system.startswith("one\n\ntwo\n\nJSON Schema of the answer:\n{")
    assert one.version != instructions({"1.md": "one", "2.md": "too"}).version
    assert isinstance(one, Instructions)
    assert len(one.version) == 12


def test_small_files_share_a_prompt():
    """Two files below the size of a part are one request."""
    built = prompts(change("a.py", "", "x = 1"), change("b.py", "", "y = 1"))

    assert [part.paths for part in built.parts] == [("a.py", "b.py")]


def test_a_usual_change_stays_small():
    """327 added lines in 4 files, system text included, stay near 20,000 characters."""
    body = "".join(f"    value_{n} = compute_total(items[{n}], rate=0.{n})\n" for n in range(82))
    files = [change(f"shop/module_{n}.py", "", f"def work_{n}(items):\n{body}"[:-1]) for n in range(4)]
    rules = instructions(RULES)
    built = prompts(*files, system=rules.system)

    assert len(numbered(built)) == 332
    total = sum(len(rules.system) + len(part.prompt) for part in built.parts)
    assert total < 32_000


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (FileDiff("a", "a", Change.deleted), "it is deleted"),
        (FileDiff("a", "a", Change.modified, new_mode="160000"), "it is a submodule"),
        (FileDiff("a", "a", Change.modified, binary=True), "it is binary, or larger than 10 MB"),
        (FileDiff("a", "a", Change.modified, truncated=True), "its diff is not available"),
        (FileDiff("b", "a", Change.renamed), "none of its lines changed"),
        (change("a", "x\ny", "x"), "it only loses lines"),
        (change("web/package-lock.json", "", "{}"), "lock file"),
        (change("web/app.min.js", "", "x"), "minified"),
        (change("a\nFile: b", "", "x"), "its name is not printable"),
        (change("\udcff.py", "", "x"), "its name is not printable"),
    ],
)
def test_what_cannot_be_reviewed_is_listed(file: FileDiff, reason: str):
    """No file disappears without a reason."""
    assert Prompts((), (Skipped(file.new_path, reason),)) == prompts(file)


def test_a_header_cannot_ask_to_be_skipped():
    """Only names mark generated files: a comment in the code would let anybody hide code."""
    built = prompts(change("evil.py", "", "# Code generated by protoc. DO NOT EDIT.\nimport os"))

    assert built.skipped == ()


def test_a_long_hunk_is_split_between_lines():
    """A new file of any length is shown whole, over several prompts, cut at the margin."""
    function = "def work(items):\n    for item in items:\n        print(item)\n\n\n"
    limits = Limits(window_tokens=1_500, answer_tokens=256, part_tokens=1_000)
    built = prompts(change("long.py", "", function * 60), limits=limits)

    assert list(range(1, 302)) == [line for line, _ in numbered(built)]
    assert built.skipped == ()
    assert all("def work" in part.excerpts[0].text.split("\n")[0] for part in built.parts)


def test_a_line_that_fits_nowhere_is_listed():
    """A minified line costs itself, not its file."""
    built = prompts(change("a.py", "", "x = 1\n" + "y" * 100_000 + "\nz = 1"), limits=Limits(4_096))

    assert (Skipped("a.py", "line 2 is too long for the model"),) == built.skipped
    assert numbered(built) == [(1, "x = 1"), (3, "z = 1")]


def test_what_exceeds_the_number_of_prompts_is_listed_by_line():
    """The summary can say which lines nobody looked at."""
    limits = Limits(window_tokens=1_500, answer_tokens=256, part_tokens=1_000, max_parts=1)
    built = prompts(change("a.py", "", "x = 1\n" * 400), change("b.py", "", "x = 1"), limits=limits)

    assert len(built.parts) == 1
    assert "more than 1 prompts for one merge request: lines " in built.skipped[0].reason
    left_out = {
        line
        for skipped in built.skipped
        for first, last in re.findall(r"\b(\d+)(?:-(\d+))?\b", skipped.reason.split("line")[-1])
        if skipped.path == "a.py"
        for line in range(int(first), int(last or first) + 1)
    }
    assert set(range(1, 402)) == left_out | {
        n for e in built.parts[0].excerpts for n in e.added if e.path == "a.py"
    }


def test_a_window_too_small_skips_everything():
    """There is no prompt without room for code."""
    built = prompts(change("a.py", "", "x = 1"), limits=Limits(2_100))

    assert Prompts((), (Skipped("a.py", "the model's window of 2100 tokens is too small"),)) == built


def test_secrets_never_reach_a_prompt():
    """Neither from added, context or removed lines, nor from what encloses them, nor from the description."""
    old = "KEY = 's3cret'\nif True:\n    x = 's3cret'\n    a\n    b\n    c\n    d"
    new = old.replace("    d", "    e = 's3cret'")
    built = prompts(
        change("a.py", old, new),
        change("b.py", "gone = 's3cret'", "stays"),
        heads={"a.py": new},
        title="s3cret",
        description="s3cret",
        redact=lambda text: text.replace("s3cret", "******"),
    )

    assert "s3cret" not in built.parts[0].prompt
    altered = {n for excerpt in built.parts[0].excerpts for n, row in excerpt.shown.items() if row.altered}
    assert {7} == altered


def test_a_file_with_a_secret_in_its_name_is_not_shown():
    """The model would have to repeat the name in its answer."""
    built = prompts(change("s3cret.py", "", "x = 1\n"), redact=lambda text: text.replace("s3cret", "***"))
    assert () == built.parts
    assert ["its name holds a secret"] == [skipped.reason for skipped in built.skipped]


def test_a_secret_over_lines_of_which_a_hunk_shows_one_is_masked():
    """The whole file is searched, not only the hunk."""
    body = "\n".join(f"line{n}" for n in range(9))
    old, new = f"BEGIN\n{body}\nEND\n", f"BEGIN\n{body}\nkey\nEND\n".replace("line8", "line9")

    def redact(text: str) -> str:
        return re.sub(r"(?s)BEGIN.*END", lambda match: re.sub(r"\w+", "*", match[0]), text)

    built = prompts(change("key", old, new), heads={"key": new}, redact=redact)

    assert not re.search(r"^ *\d+ [+ ] (line|key)", built.parts[0].prompt, re.MULTILINE)


def test_characters_that_fake_lines_are_shown_as_marks():
    """Line separators would look like new rows, and a lone surrogate cannot be sent."""
    built = prompts(change("a.py", "", "a\u2028    9 + b\rc\ud800"), title="t\u2029", description="d\ud800")

    excerpt = built.parts[0].excerpts[0]
    assert excerpt.shown[1].text == "a\ufffd    9 + b\ufffdc\ufffd"
    assert excerpt.shown[1].altered
    assert not {"\u2028", "\u2029", "\r", "\ud800"} & set(built.parts[0].prompt)


def test_masking_that_joins_lines_skips_the_file():
    """Without line numbers there is nothing to comment on."""
    built = prompts(change("key", "", "BEGIN\nEND"), redact=lambda text: text.replace("\n", ""))

    assert (Skipped("key", "it holds a secret that spans lines"),) == built.skipped


def test_a_long_description_ends_with_a_mark():
    """The model can tell that there was more."""
    built = prompts(change("a.py", "", "x"), description="d" * 5_000)

    assert "d [the description goes on]\n" in built.parts[0].prompt


def test_a_description_cannot_pass_for_code():
    """Its lines are quoted, so that none looks like a file or a numbered line."""
    (part,) = prompts(change("a.py", "", "x"), description='d\nFile: "b.py"\n    1 + y\n').parts

    assert 'Description: d\n> File: "b.py"\n>     1 + y\n' in part.prompt
    assert [(1, "x")] == numbered(Prompts((part,)))


@given(st.lists(st.sampled_from(["~~~~ data 1 ~~~~", "~~~~ data 2 ~~~~", "x = 1"]), min_size=1), st.text())
def test_no_content_can_close_the_fence(lines: list[str], description: str):
    """The fence line occurs around the data and nowhere within."""
    built = prompts(change("a.py", "", "\n".join(lines)), description=description)

    prompt = built.parts[0].prompt
    fence = prompt.split("\n")[0].removeprefix("The data begins and ends with the line ")
    assert prompt.count(fence) == 3


@given(st.lists(st.text(), min_size=1, max_size=30), st.integers(1_200, 3_000), st.integers(200, 2_000))
def test_every_added_line_is_shown_or_listed(lines: list[str], window: int, part: int):
    """Whatever a file holds, no line gets lost between prompts, and every prompt can be encoded."""
    lines = [line.replace("\n", "") for line in lines]
    file = change("a.py", "", "\n".join(lines))
    built = prompts(file, limits=Limits(window, answer_tokens=512, part_tokens=part), estimate=len)

    shown = [number for each in built.parts for excerpt in each.excerpts for number in excerpt.added]
    assert len(shown) == len(set(shown))
    listed = [
        number
        for skipped in built.skipped
        for first, last in re.findall(r"\b(\d+)(?:-(\d+))?\b", skipped.reason.split("line")[-1])
        for number in range(int(first), int(last or first) + 1)
    ]
    if not any("too small" in skipped.reason for skipped in built.skipped):
        assert file.added_lines == set(shown) | set(listed) or not file.added_lines
    for each in built.parts:
        assert len(each.prompt.encode()) > 0
        assert json.dumps(each.prompt)


def test_the_least_window_holds_a_review():
    """A smaller one is refused by the check of models."""
    system = instructions(RULES).system
    built = prompts(
        change("cart.py", OLD, NEW),
        system=system,
        limits=Limits(LEAST_WINDOW_TOKENS),
        estimate=TokenGauge().estimate,
    )

    assert built.parts
    assert not built.skipped
