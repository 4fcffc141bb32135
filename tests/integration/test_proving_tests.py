"""What tests are worth, found out in the real sandbox on a real repository."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import frameworks
from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.git_mirror import GitMirror
from bot.adapters.sandbox_bubblewrap import BubblewrapSandbox
from bot.adapters.telemetry import OpenTelemetry
from bot.domain.merge_request import Revision
from bot.domain.records import Task
from bot.domain.unit_tests import Proof, State
from bot.ports import ModelReply, ModelRequest, Sandbox, Trial, Tried
from bot.reviewer.asking import Asker, Ledger
from bot.reviewer.proving import SWITCHED_OFF, Prover
from bot.reviewer.unit_testing import Drafted, UnitTesting
from bot.reviewer.unit_tests import Author, writing_instructions
from tests.upstream import Files, Upstream, file

pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None and "CI" not in os.environ,
    reason="PROVING TESTS IS NOT TESTED HERE: install bubblewrap",
)

OLD = b"def clip(value, low):\n    return value\n"
NEW = b"def clip(value, low):\n    if value < low:\n        return low\n    return value\n"
EXAMPLE = b"import unittest\n\n\nclass OldTest(unittest.TestCase):\n    def test_old(self):\n        pass\n"
HEAD = "import unittest\n\nfrom clip import clip\n\n\nclass ClipTest(unittest.TestCase):\n"
GOOD = f"{HEAD}    def test_low(self):\n        self.assertEqual(clip(1, 3), 3)\n        self.assertEqual(clip(5, 3), 5)\n"


class Model:
    """A model that gives one answer after the other."""

    name, window_tokens = "m", 8192

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[ModelRequest] = []

    async def identity(self) -> str:
        """Return the digest."""
        return "d"

    def estimate_tokens(self, text: str) -> int:
        """Count generously."""
        return len(text) // 3

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return the next answer."""
        self.asked.append(request)
        code = self.answers.pop(0)
        text = json.dumps({"tests": [{"code": code}] if code else []})
        return ModelReply(text, self.name, "d", 7, 3, 0.5)


class Project:
    """A repository with a merge request, and who writes tests for it."""

    def __init__(self, root: Path, old: Files, new: Files) -> None:
        upstream = Upstream(root)

        async def clone_url(_: int) -> str:
            return f"{root.as_uri()}/group/project.git"

        self.mirror = GitMirror(root / "mirrors", forge_url=root.as_uri(), clone_url=clone_url)
        self.revision: Revision = upstream.revision(old, new)

    async def drafted(
        self, model: Model, *, sandbox: Sandbox | None = None, place: tuple[str, int] | None = None
    ) -> Drafted:
        """Return the tests that *model* writes, proved in *sandbox*."""
        known = frameworks.load()
        asker = Asker(dict.fromkeys(Task, model), MemoryAnswers(), OpenTelemetry(None))
        author = Author(asker, self.mirror, known, writing_instructions(), lambda text: text)
        testing = UnitTesting(author, Prover(sandbox, self.mirror, known))
        diff = await self.mirror.diff(self.revision)
        return await testing.draft(self.revision, diff, skipped=(), place=place, ledger=Ledger(uuid.uuid4()))


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Return a maker of the usual project; files may be added."""

    def make(**more: bytes) -> Project:
        files = {b"clip.py": file(OLD), b"tests/test_old.py": file(EXAMPLE)}
        extra = {name.replace("__", "/").encode(): file(content) for name, content in more.items()}
        return Project(tmp_path, files | extra, files | extra | {b"clip.py": file(NEW)})

    return make


async def proof(project: Project, code: str) -> Proof:
    drafted = await project.drafted(Model(code), sandbox=BubblewrapSandbox())
    assert drafted.problems == ()
    (offer,) = drafted.offers
    return offer.proof


async def test_a_good_test_passes_fails_on_the_base_and_notices_defects(project: Callable[..., Project]):
    """All of that is seen by running it."""
    seen = await proof(project(), GOOD)
    assert seen.passed
    assert seen.base is not None
    assert (seen.base.state, seen.mutants > 2, seen.killed > 1) == (State.failed, True, True)


async def test_a_test_of_nothing_is_told(project: Callable[..., Project]):
    """It passes everywhere: on the base, and on code that was broken."""
    seen = await proof(
        project(), f"{HEAD}    def test_callable(self):\n        self.assertTrue(callable(clip))\n"
    )
    assert seen.base is not None
    assert (seen.passed, seen.base.state, seen.killed) == (True, State.passed, 0)
    assert seen.survivor


async def test_a_project_within_the_repository_is_run_from_its_own_directory(tmp_path: Path):
    """Its tests stand with its others, and import as its code does; another project's tests are no place for them."""
    old = {
        b"api/setup.py": file(b""),
        b"api/shop/low.py": file(b"LOW = 3\n"),
        b"api/shop/clip.py": file(b"from shop.low import LOW\n\n\ndef clip(value):\n    return value\n"),
        b"web/setup.py": file(b""),
        b"web/tests/test_old.py": file(EXAMPLE),
    }
    new = b"from shop.low import LOW\n\n\ndef clip(value):\n    return max(value, LOW)\n"
    world = Project(tmp_path, old, old | {b"api/shop/clip.py": file(new)})
    code = f"{HEAD}    def test_low(self):\n        self.assertEqual(clip(1), 3)\n"
    model = Model(code.replace("from clip", "from shop.clip"))
    (offer,) = (await world.drafted(model, sandbox=BubblewrapSandbox())).offers
    assert (offer.written.path, offer.proof.passed) == ("api/tests/test_clip.py", True)
    assert "Import the code as `shop.clip`" in model.asked[0].prompt


#: In place of the library: it runs the one method of the class that it is given.
RUNNER = b"""package org.junit.runner;

public class JUnitCore {
    public static void main(String[] names) throws Exception {
        Class.forName(names[0]).getMethod("low").invoke(null);
        System.out.println("OK (1 test)");
    }
}
"""
JAVA_TEST = """package x;

public class ClipTest {
    static final Class<?> NEEDED = org.junit.runner.JUnitCore.class;

    @org.junit.Test
    public static void low() {
        if (Clip.clip(1) != 3) throw new AssertionError();
    }
}
"""


@pytest.mark.skipif(shutil.which("javac") is None and "CI" not in os.environ, reason="needs javac")
async def test_java_of_several_modules_is_compiled_as_far_as_the_test_needs_it(tmp_path: Path):
    """Its own module first, then what that needs of others; what cannot be compiled elsewhere does not matter."""
    old = {
        b"app/src/main/java/x/Clip.java": file(
            b"package x;\n\npublic class Clip {\n    static int clip(int v) {\n        return v;\n    }\n}\n"
        ),
        b"core/src/main/java/x/core/Low.java": file(
            b"package x.core;\n\npublic class Low {\n    public static int low() { return 3; }\n}\n"
        ),
        b"core/src/main/java/x/core/Away.java": file(b"package x.core;\n\nimport not.here.Thing;\n"),
        b"pom.xml": file(b"<artifactId>junit</artifactId>\n"),
        b"support/src/test/java/org/junit/Test.java": file(
            b"package org.junit;\n\npublic @interface Test {}\n"
        ),
        b"support/src/test/java/org/junit/runner/JUnitCore.java": file(RUNNER),
    }
    clip = b"app/src/main/java/x/Clip.java"
    new = old[clip][1].replace(b"return v", b"return v < x.core.Low.low() ? 3 : v")
    world = Project(tmp_path, old, old | {clip: file(new)})
    (offer,) = (await world.drafted(Model(JAVA_TEST), sandbox=BubblewrapSandbox())).offers
    assert (offer.written.path, offer.proof.passed) == ("app/src/test/java/x/ClipTest.java", True)


WRONG = {
    "wrong": f"{HEAD}    def test_low(self):\n        self.assertEqual(clip(1, 3), 1)\n",
    "import": GOOD.replace("from clip", "from klip"),
    "exit": f"import os\n{GOOD}\nos._exit(0)\n",
    "network": f"import socket\n{HEAD}    def test_low(self):\n        socket.create_connection(('192.0.2.1', 80), 1); clip(1, 1)\n",
}


@pytest.mark.parametrize("code", WRONG.values(), ids=list(WRONG))
async def test_what_does_not_pass_is_not_offered_as_passing(project: Callable[..., Project], code: str):
    """Neither a wrong expectation nor a file that ends early nor one that needs the world."""
    assert not (await proof(project(), code)).passed


class Scripted:
    """A sandbox in which runs end as they are told to; the last one repeats."""

    def __init__(self, *runs: Tried) -> None:
        self.runs = list(runs)

    async def problem(self) -> str:
        """Return that all is well."""
        return ""

    @asynccontextmanager
    async def holding(self, files: Mapping[str, bytes]) -> AsyncIterator[Scripted]:
        """Hold nothing."""
        del files
        yield self

    async def run(self, trial: Trial) -> Tried:
        """Return the next result."""
        del trial
        return self.runs.pop(0) if len(self.runs) > 1 else self.runs[0]


PASSES = Tried(0, b"", b"Ran 1 test in 0.0s\n\nOK\n", b"", 0.1)
FAILS = Tried(1, b"", b"Ran 1 test in 0.0s\n\nFAILED (failures=1)\n", b"", 0.1)
HANGS = Tried(-9, b"", b"", b"", 9.0, "time")
BREAKS = Tried(1, b"", b"SyntaxError", b"", 0.1)


async def test_what_passes_by_chance_is_found_out(project: Callable[..., Project]):
    """The second run of the same code has the word, and nothing more is tried."""
    drafted = await project().drafted(Model(GOOD), sandbox=Scripted(PASSES, FAILS))
    seen = drafted.offers[0].proof
    assert (seen.passed, seen.steady, seen.base, seen.mutants) == (False, False, None, 0)


async def test_defects_count_only_if_the_code_still_runs(project: Callable[..., Project]):
    """One that never ends was noticed; one that cannot be run says nothing about the test."""
    world = project()
    hangs = await world.drafted(Model(GOOD), sandbox=Scripted(PASSES, PASSES, FAILS, HANGS))
    breaks = await world.drafted(Model(GOOD), sandbox=Scripted(PASSES, PASSES, FAILS, BREAKS))
    counts = [(one.offers[0].proof.killed, one.offers[0].proof.mutants) for one in (hangs, breaks)]
    assert counts == [(4, 4), (0, 0)]


async def test_nothing_runs_without_the_sandbox(project: Callable[..., Project]):
    """The test is offered, and said not to have run; so it is where the sandbox does not work."""
    world = project()
    drafted = await world.drafted(Model(GOOD))
    assert [offer.proof.not_run for offer in drafted.offers] == [SWITCHED_OFF]
    broken = BubblewrapSandbox([Path("/no/such/place")])
    drafted = await world.drafted(Model(GOOD), sandbox=broken)
    assert "/no/such/place" in drafted.offers[0].proof.not_run


async def test_a_new_path_is_chosen_and_the_style_shown(project: Callable[..., Project]):
    """The model sees the example and the code before it writes; it chooses no path."""
    model = Model(GOOD)
    drafted = await project(tests__test_clip=b"", **{"tests__test_clip.py": b"x = 1\n"}).drafted(model)
    assert [offer.written.path for offer in drafted.offers] == ["tests/test_clip_clip.py"]
    assert "return low" in model.asked[0].prompt
    assert "unittest" in model.asked[0].prompt


async def test_callers_are_shown(project: Callable[..., Project]):
    """Those that the rest of the repository has, tests and definitions apart."""
    model = Model(GOOD)
    world = project(
        **{"app__main.py": b"from clip import clip\n\nprint(clip(7, 9))\n", "lib.py": b"def clip(a): 1\n"}
    )
    await world.drafted(model)
    assert "Called in app/main.py:\nprint(clip(7, 9))" in model.asked[0].prompt
    assert "lib.py" not in model.asked[0].prompt


async def test_useless_answers_are_asked_for_again(project: Callable[..., Project]):
    """Then it is told that there is no test, and why."""
    world, broken = project(), GOOD + "    def (\n"
    assert (await world.drafted(Model(broken, GOOD))).offers
    drafted = await world.drafted(Model(broken, broken))
    assert "does not parse" in drafted.problems[0].reason
    drafted = await world.drafted(Model("x = 1\n", "y = 2\n"))
    assert "names none of the functions" in drafted.problems[0].reason
    drafted = await world.drafted(Model(""))
    assert "sees nothing" in drafted.problems[0].reason


async def test_a_place_without_a_function_is_told(project: Callable[..., Project]):
    """Nothing is asked then."""
    model = Model()
    drafted = await project().drafted(model, place=("tests/test_old.py", 3))
    assert (drafted.offers, len(model.asked)) == ((), 0)
    assert "no function" in drafted.problems[0].reason
