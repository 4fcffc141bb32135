"""Publishing converges: nothing twice, nothing of other people, nothing that was declined."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Finding, Severity
from bot.domain.marker import Word
from bot.domain.reconcile import (
    Action,
    Cause,
    Explain,
    Keep,
    Overflow,
    Post,
    Reopen,
    Resolve,
    Thread,
    owed,
    reconcile,
)

SCANNERS = ("semgrep", "model")
PATHS = ("a.py", "b.py")


def finding(fingerprint: str = "f1", severity: Severity = Severity.medium, **values: object) -> Finding:
    """Return a finding of Semgrep in a.py."""
    base = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "security",
        "severity": severity,
        "path": "a.py",
        "line": 1,
        "end_line": 1,
        "title": "t",
        "message": "m",
        "fingerprint": fingerprint,
    }
    return Finding.model_validate(base | values)


def thread(fingerprint: str = "f1", note_id: int = 1, **values: object) -> Thread:
    """Return an open, untouched thread of Semgrep in a.py."""
    base = Thread(f"d{note_id}", note_id, fingerprint, "semgrep", "a.py", "x", Severity.medium)
    return replace(base, **values)  # type: ignore[arg-type]


def run(wanted: list[Finding], existing: list[Thread], **options: object) -> list[Action]:
    """Reconcile with a.py fully analysed and no anchored code left."""
    defaults = {"scope": {("semgrep", "a.py"), ("model", "a.py")}, "standing": lambda _: False}
    return reconcile(wanted, existing, **(defaults | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "state", [{}, {"resolved": True}, {"touched": True}, {"resolved": True, "touched": True}]
)
def test_a_raised_finding_is_not_raised_again(state: dict[str, bool]) -> None:
    """Whatever became of its thread."""
    assert [Keep(thread(**state), finding())] == run([finding()], [thread(**state)])


def test_what_was_mended_and_is_back_is_raised_in_its_old_thread() -> None:
    """A thread that we resolved is opened again; one that people resolved, or answered, is not."""
    mended = thread(resolved=True, mended=True)
    assert [Reopen(mended, finding())] == run([finding()], [mended])
    answered = thread(resolved=True, mended=True, touched=True)
    assert [Keep(answered, finding())] == run([finding()], [answered])


def test_a_thread_that_must_not_be_open_is_resolved_and_stays_so() -> None:
    """Its finding stands, so it is not said to be fixed, is no duplicate, and still counts."""
    assert [Resolve(thread(), Cause.advice), Keep(thread(), finding())] == run(
        [finding()], [thread()], staying=set()
    )
    assert owed(Resolve(thread(), Cause.advice)) is None
    hushed = thread(resolved=True, mended=True, advised=True)
    assert [Keep(hushed, finding())] == run([finding()], [hushed], staying=set())
    assert [Keep(thread(), finding())] == run([finding()], [thread()], staying={"f1"})
    new = finding("f2")
    assert [Keep(hushed, finding()), Overflow(new)] == run(
        [finding(), new], [hushed], staying=set(), max_inline=1
    )


def test_a_thread_that_may_be_open_again_is_opened_without_a_word() -> None:
    """What was advice blocks now; it never was gone."""
    hushed = thread(resolved=True, mended=True, advised=True)
    for staying in ({"f1"}, None):
        (action,) = run([finding()], [hushed], staying=staying)
        assert (Reopen(hushed, finding()), None) == (action, owed(action))


@pytest.mark.parametrize("touched", [False, True])
def test_a_waiver_ends_the_talk_in_a_thread_and_its_own_end_opens_it(touched: bool) -> None:
    """Where threads must be resolved; somebody has answered in it, since waivers are asked for there."""
    talked = thread(touched=touched)
    assert [Resolve(talked, Cause.waived), Keep(talked, finding())] == run(
        [finding()], [talked], staying=set(), waived={"f1"}
    )
    excused = thread(touched=touched, resolved=True, mended=True, advised=True, excused=True)
    assert [Keep(excused, finding())] == run([finding()], [excused], staying=set(), waived={"f1"})
    (action,) = run([finding()], [excused], staying={"f1"})
    assert (Reopen(excused, finding()), None) == (action, owed(action))
    assert [Keep(talked, finding())] == run([finding()], [talked], staying=None, waived={"f1"})


def test_who_opens_the_thread_of_a_waived_finding_again_keeps_it_open() -> None:
    """And what people have resolved stays as it is when the waiver ends."""
    opened = thread(touched=True, reopened=True, advised=True, excused=True)
    assert [Keep(opened, finding())] == run([finding()], [opened], staying=set(), waived={"f1"})
    theirs = thread(touched=True, resolved=True)
    assert [Keep(theirs, finding())] == run([finding()], [theirs], staying={"f1"})


@pytest.mark.parametrize(
    "state", [{"touched": True}, {"resolved": True}, {"resolved": True, "touched": True}]
)
def test_people_decide_about_threads_that_they_touched(state: dict[str, bool]) -> None:
    """Somebody opened it again, or answers, or resolved it: nothing is done to it."""
    assert [Keep(thread(**state), finding())] == run([finding()], [thread(**state)], staying=set())


def test_a_resolved_thread_is_explained_all_the_same() -> None:
    """The explanation comes after the thread was opened and resolved."""
    told = finding(explanation="because")
    hushed = thread(resolved=True, mended=True, plain=True)
    assert [Explain(hushed, told)] == run([told], [hushed], staying=set())


def test_our_thread_goes_with_its_finding() -> None:
    """An open, untouched thread is resolved when the finding is gone."""
    assert [Resolve(thread(), Cause.gone)] == run([], [thread()])


@pytest.mark.parametrize(
    "state",
    [{"touched": True}, {"resolved": True}, {"path": "other.py"}, {"scanner": "secrets"}, {"scanner": ""}],
)
def test_other_threads_stay(state: dict[str, object]) -> None:
    """Touched, resolved and unanalysed threads are left alone."""
    assert run([], [thread(**state)]) == []


def test_silence_of_the_model_proves_nothing() -> None:
    """A thread of the model stays while its code stands."""
    ours = thread(scanner="model")
    assert run([], [ours], standing=lambda _: True) == []
    assert [Resolve(ours, Cause.gone)] == run([], [ours], standing=lambda _: False)


def test_one_of_several_that_are_alike_is_gone() -> None:
    """Where each place with that code has its finding, none is left for the thread that has no finding."""
    kind = "f" * 24
    ours = [thread(f"{kind}{number}", number, scanner="model") for number in range(3)]
    found = [finding(f"{kind}{number}", scanner="model") for number in (1, 2)]
    assert [Resolve(ours[0], Cause.gone)] == changes(run(found, ours, standing=lambda _: 2))
    assert [] == changes(run(found, ours, standing=lambda _: 3))


def test_the_oldest_of_duplicates_stays() -> None:
    """Later twins are resolved, unless somebody touched them."""
    old, new, touched = thread(note_id=1), thread(note_id=2), thread(note_id=3, touched=True)
    expected = [Resolve(new, Cause.duplicate), Keep(old, finding())]
    assert expected == run([finding()], [touched, new, old], scope=())


def test_a_declined_finding_is_dropped() -> None:
    """What people refused is not raised, not even without a thread."""
    assert run([finding()], [], declined={"f1"}) == []


def test_an_explanation_is_added_to_a_thread_that_was_opened_without() -> None:
    """Once, and only where nobody sees his thread change under his hands."""
    words = finding(explanation="because")
    plain = thread(plain=True)
    assert [Explain(plain, words)] == run([words], [plain])
    assert [Keep(plain, finding())] == run([finding()], [plain])
    for other in (
        replace(plain, touched=True),
        replace(plain, resolved=True),
        replace(plain, plain=False),
        replace(plain, told=Word.back),
    ):
        assert [Keep(other, words)] == run([words], [other])


def test_a_thread_is_told_what_became_of_its_finding() -> None:
    """Before it is resolved or opened again, unless that was the last thing said there."""
    gone, back = Resolve(thread(), Cause.gone), Reopen(thread(), finding())
    assert (Word.fixed, Word.back) == (owed(gone), owed(back))
    for told, words in ((Word.fixed, (None, Word.back)), (Word.back, (Word.fixed, None))):
        known = thread(told=told)
        assert words == (owed(replace(gone, thread=known)), owed(replace(back, thread=known)))
    for action in (Resolve(thread(), Cause.duplicate), Keep(thread(), finding()), Post(finding())):
        assert owed(action) is None


def test_the_gravest_findings_fill_the_budget() -> None:
    """Critical findings are exempt; the rest goes to the summary."""
    wanted = [finding("a", Severity.low), finding("b", Severity.high), finding("c", Severity.critical)]
    low, high, critical = wanted
    assert [Post(critical), Post(high), Overflow(low)] == run(wanted, [], max_inline=1)


def test_what_blocks_comes_before_what_is_graver() -> None:
    """Whoever may not merge sees where, however much else there is to say."""
    grave, blocking = finding("a", Severity.high), finding("b", Severity.medium)
    actions = run([grave, blocking], [], first={blocking.fingerprint}, max_inline=1)
    assert [Post(blocking), Overflow(grave)] == actions


def test_a_fixed_thread_frees_its_place() -> None:
    """The budget counts what still asks for attention."""
    gone, declined = thread("old", 1), thread("no", 2, resolved=True, touched=True)
    assert [Resolve(gone, Cause.gone), Post(finding())] == run([finding()], [gone], max_inline=1)
    kept = Keep(declined, finding("no", line=9, end_line=9))
    assert [Overflow(finding()), kept] == run([finding(), kept.finding], [declined], max_inline=1)


def test_unstamped_findings_are_an_error() -> None:
    """Without identity a finding would be posted again and again."""
    with pytest.raises(ValueError, match="stamp"):
        run([finding("")], [])


findings = st.builds(
    finding,
    st.sampled_from(["f1", "f2", "f3", "f4", "f5"]),
    st.sampled_from(Severity),
    scanner=st.sampled_from(SCANNERS),
    path=st.sampled_from(PATHS),
    line=st.integers(1, 3),
    end_line=st.just(3),
    explanation=st.sampled_from(["", "because"]),
)
threads = st.builds(
    Thread,
    discussion_id=st.uuids().map(str),
    note_id=st.integers(1, 50),
    fingerprint=st.sampled_from(["f1", "f2", "f3", "f6", "f7"]),
    scanner=st.sampled_from(["", *SCANNERS]),
    path=st.sampled_from(PATHS),
    severity=st.sampled_from([None, *Severity]),
    resolved=st.booleans(),
    touched=st.booleans(),
    mended=st.booleans(),
    plain=st.booleans(),
    told=st.sampled_from([None, *Word]),
)
scopes = st.frozensets(st.tuples(st.sampled_from(SCANNERS), st.sampled_from(PATHS)))
worlds = st.tuples(
    st.lists(findings, max_size=8),
    st.lists(threads, max_size=8, unique_by=lambda item: item.discussion_id),
    scopes,
    st.frozensets(st.sampled_from(["f1", "f4", "f6"])),
    st.integers(0, 4),
)


class Store:
    """Threads as the forge keeps them."""

    def __init__(self, existing: list[Thread], staying: frozenset[str] | None) -> None:
        self.threads = {item.discussion_id: item for item in existing}
        self.staying = staying
        self.said: list[str] = []

    def carry_out(self, actions: list[Action], *, break_off: bool = False) -> None:
        """Do what is asked, as the publisher does; perhaps die between the last thing said and what was to follow."""
        for action in actions:
            if isinstance(action, Resolve | Reopen) and (word := owed(action)):
                self.said.append(f"{word} {action.thread.discussion_id}")
                item = replace(action.thread, told=word)
                self.threads[item.discussion_id] = item
                if break_off and action is actions[-1]:
                    return
                action = replace(action, thread=item)  # noqa: PLW2901 - as the next try would see it
            if isinstance(action, Explain):
                self.said.append(f"explained {action.thread.discussion_id}")
                now = self.threads[action.thread.discussion_id]
                self.threads[now.discussion_id] = replace(now, plain=False)
            elif isinstance(action, Post):
                item = action.finding
                number = 100 + len(self.threads)
                posted = Thread(
                    f"new{number}", number, item.fingerprint, item.scanner, item.path, "", item.severity
                )
                # Which is resolved only after all are posted.
                if self.staying is not None and item.fingerprint not in self.staying and not break_off:
                    posted = replace(posted, resolved=True, mended=True)
                self.threads[posted.discussion_id] = posted
            elif isinstance(action, Resolve):
                self.threads[action.thread.discussion_id] = replace(action.thread, resolved=True, mended=True)
            elif isinstance(action, Reopen):
                self.threads[action.thread.discussion_id] = replace(action.thread, resolved=False)


def changes(actions: list[Action]) -> list[Action]:
    """Return the actions that change something."""
    return [action for action in actions if isinstance(action, Post | Explain | Reopen | Resolve)]


@given(worlds, st.data())
def test_a_repeat_changes_nothing(world: tuple, data: st.DataObject) -> None:
    """After a run that broke off anywhere, the next one finishes it and a third finds nothing to do."""
    wanted, existing, scope, declined, budget = world
    options = {
        "scope": scope,
        "declined": declined,
        "max_inline": budget,
        "standing": lambda item: item.note_id % 2 == 0,
        "staying": data.draw(st.none() | st.frozensets(st.sampled_from(["f1", "f2", "f4"]))),
    }
    whole = Store(existing, options["staying"])
    actions = run(wanted, list(whole.threads.values()), **options)
    whole.carry_out(actions)
    broken = Store(existing, options["staying"])
    broken.carry_out(actions[: data.draw(st.integers(0, len(actions)))], break_off=data.draw(st.booleans()))
    broken.carry_out(run(wanted, list(broken.threads.values()), **options))
    for store in (whole, broken):
        assert changes(run(wanted, list(store.threads.values()), **options)) == []
    assert sorted(item.fingerprint for item in whole.threads.values()) == sorted(
        item.fingerprint for item in broken.threads.values()
    )
    assert sorted(whole.said) == sorted(broken.said)


@given(worlds, st.randoms(use_true_random=False))
def test_order_does_not_matter(world: tuple, shuffler: random.Random) -> None:
    """Findings and threads come in any order, with the same result."""
    wanted, existing, scope, declined, budget = world
    options = {"scope": scope, "declined": declined, "max_inline": budget}
    before = run(wanted, existing, **options)
    assert before == run(
        shuffler.sample(wanted, len(wanted)), shuffler.sample(existing, len(existing)), **options
    )


@given(worlds)
def test_the_promises_hold(world: tuple) -> None:
    """Every finding is accounted for once, no other thread is touched, the budget is kept."""
    wanted, existing, scope, declined, budget = world
    actions = run(wanted, existing, scope=scope, declined=declined, max_inline=budget)
    raised = [action.finding for action in actions if not isinstance(action, Resolve)]
    known = {item.fingerprint for item in existing}
    assert sorted({item.fingerprint for item in wanted} - (declined - known)) == sorted(
        item.fingerprint for item in raised
    )
    posts = [action.finding for action in actions if isinstance(action, Post)]
    assert not known & {item.fingerprint for item in posts}
    assert sum(item.severity is not Severity.critical for item in posts) <= budget
    for action in actions:
        if isinstance(action, Resolve):
            assert not action.thread.touched
            assert not action.thread.resolved
            assert action.cause is Cause.duplicate or (action.thread.scanner, action.thread.path) in scope
