"""No test fails because of how long something took: the machine may be busy with something else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
#: Measures, and the one place that waits.
MAY = ("bench/", "waiting.py")
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "time", "getrusage", "cpu_times"}
CLOCKS |= {f"{name}_ns" for name in CLOCKS}


def _is_reading(node: ast.AST, names: set[str]) -> bool:
    """Say whether *node* is a clock's reading, or reckoned from one."""
    match node:
        case ast.Call(func=ast.Attribute(attr=called), args=[], keywords=[]) if called in CLOCKS:
            return True
        case ast.Call(func=ast.Name(id=called), args=[]) if called in CLOCKS:
            return True
        case ast.Call(func=ast.Name(id="abs" | "float" | "int" | "max" | "min" | "round" | "sum")):
            return any(_is_reading(one, names) for one in node.args)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="resource"))):
            return True
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(value=inner) | ast.Subscript(value=inner):
            return _is_reading(inner, names)
        case ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.BoolOp() | ast.Tuple() | ast.List():
            return any(_is_reading(one, names) for one in ast.iter_child_nodes(node))
    return False


def _names_of_readings(tree: ast.AST) -> set[str]:
    """Return the names that hold readings anywhere in *tree*, lists of them included."""
    names: set[str] = set()
    while True:
        before = len(names)
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[target], value=value) if _is_reading(value, names):
                    names |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_reading(
                    value, names
                ):
                    names.add(name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]):
                    names |= {name} if _is_reading(value, names) else set()
        if len(names) == before:
            return names


def timed(source: str) -> list[int]:
    """Return the lines of *source* where an assertion is about a clock's reading."""
    return sorted({line for function in _functions(ast.parse(source)) for line in _timed(function)})


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _timed(function: ast.AST) -> Iterator[int]:
    names = _names_of_readings(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and any(_is_reading(one, names) for one in ast.walk(node.test)):
            yield node.lineno


@pytest.mark.parametrize(
    "body",
    [
        "assert time.monotonic() - began < 1",
        "assert (done.ended, time.monotonic() - began < 60) == ('time', True)",
        "took = time.process_time() - began; assert took < 1",
        "began = perf_counter(); run(); ended = perf_counter(); spent = ended - began; assert 1 > spent",
        "times.append(time.perf_counter() - began); assert min(times) < 0.5",
        "longest, before = max(longest, time.monotonic() - before), 0; assert longest < 1.5",
        "deadline = time.monotonic() + 5\n  while x:\n    assert time.monotonic() < deadline",
        "assert asyncio.get_running_loop().time() - began < 30",
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_utime < 3",
    ],
)
def test_an_assertion_on_a_time_is_found(body: str) -> None:
    """However it is written."""
    assert timed(f"async def test():\n  {body}\n")


@pytest.mark.parametrize(
    "body",
    [
        "now = int(time.time()); token = sign({'exp': now}); assert accepted(token)",
        "began = time.monotonic(); assert rows == []",
        "assert clock.now() == NOW",
    ],
)
def test_a_clock_may_be_read(body: str) -> None:
    """What is made of its reading may be asserted on."""
    assert timed(f"async def test():\n  {body}\n") == []


def test_no_test_asserts_a_time() -> None:
    """Choose an input so large that an explosion would not end, count events, or measure it in tests/bench."""
    found = [
        f"{file.relative_to(TESTS)}:{line}"
        for file in sorted(TESTS.rglob("*.py"))
        if not str(file.relative_to(TESTS)).startswith(MAY)
        for line in timed(file.read_text())
    ]
    assert found == []
