"""What a reply says, by rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.replies import READ_CHARS, classified
from bot.domain.signals import ReplyClass

AGREES = (
    "改了",
    "You are correct, this is a vulnerability",
    "Removed.",
    "Behoben, danke!",
    "Kein Problem, erledigt",
    "Stimmt",
    "Merci, c'est corrigé",
    "C'est faux, corrigé.",
    "Bien vu",
    "Tu as raison",
    "Fair point, will do",
    "Good call",
    "Yes, this is wrong, fixed now",
    "Changed.",
    "Oh, that's a real bug. Fixing.",
    "已按建议修改",
    "采纳\uff0c我来改\uff01",
    "Good catch, fixed.",
    "Thanks!",
    "You're right, my bad",
    "you’re absolutely right",
    "I'll fix that",
    "Done in abc1234",
    "Yes",
    "👍",
    ":+1:",
    "已修复",
    "确实,马上改",
    "好的,谢谢",
    "说得对",
    "对的",
    "改好了",
)
WRONG = (
    "This isn't an injection, `name` comes from an enum.",
    "not exploitable, the input is a constant",
    "You misunderstood the code",
    "I checked whether it can be empty, and this is a false positive",
    "Das ist kein Fehler, der Wert ist immer gesetzt.",
    "Stimmt nicht, das wird oben schon geprüft.",
    "Fehlalarm",
    "Ce n'est pas un bug.",
    "Faux positif",
    "Non, ça ne peut pas arriver",
    "No, this is fine.",
    "I don't think this is a problem",
    "Bad suggestion",
    "The suggestion breaks the build",
    "Yes, but this is wrong for generators",
    "误判\uff0c这里不会为空",
    "没有风险\u3002",
    "This is a false positive",
    "not a bug",
    "That's not a real issue",
    "This isn't a problem, the caller checks it.",
    "That is wrong.",
    "I disagree",
    "user can't be None here",
    "doesn't apply here",
    "Thanks, but this is a false alarm.",
    "👎",
    "误报",
    "这里不对",
    "这不是问题",
    "我不同意",
)
WONT_FIX = (
    "Das ist Absicht",
    "Nicht in diesem MR",
    "Wird nicht geändert",
    "C'est voulu",
    "Hors périmètre",
    "Tracked in JIRA-12",
    "I'd rather not change this",
    "历史原因\uff0c保持不变",
    "不用改",
    "won't fix",
    "Wontfix",
    "This is by design.",
    "intentional",
    "Out of scope for this MR",
    "I'll do that in a follow-up",
    "let's leave it as is",
    "We will not change this now.",
    "暂不处理",
    "设计如此",
    "后续再改",
    "这个不修了",
)
QUESTION = (
    "这是误报吗",
    "会不会是误报",
    "Warum?",
    "C'est un faux positif ?",
    "这是误报吗\uff1f",
    "这里不对\uff1f为什么\uff1f",
    "false positive\uff1f",
    "这里有什么问题",
    "Why?",
    "Is this a false positive?",
    "How would you fix it",
    "what do you mean by that?",
    "> This is wrong.\n\nCould you explain?",
    "这是误报吗?",
    "为什么会有问题?",
    "怎么改",
)
OTHER = (
    "I don't know if that's a false positive",
    "Let me ask the team whether this is by design",
    "Ich weiß nicht, ob das ein Fehlalarm ist",
    "Das ist kein Fehlalarm",
    "Das ist noch nicht behoben",
    "pas encore corrigé",
    "Fixing this would break the API",
    "I am not sure",
    "",
    "Hm.",
    "cc @alice",
    "`this is wrong`",
    "> false positive",
    "```\nfixed\n```",
    ">>>\nnot a bug\n>>>",
    "See https://example.com/fixed/thanks",
    "not fixed yet",
    "This is not a false positive",
    "它在这里",
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (text, kind)
        for kind, texts in {
            ReplyClass.agrees: AGREES,
            ReplyClass.wrong: WRONG,
            ReplyClass.wont_fix: WONT_FIX,
            ReplyClass.question: QUESTION,
            ReplyClass.other: OTHER,
        }.items()
        for text in texts
    ],
)
def test_replies_say_what_their_words_say(text: str, kind: ReplyClass) -> None:
    """In English, Chinese, German and French; what is quoted, linked or code are not the words of whoever replies."""
    assert kind == classified(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ah yes, this is wrong indeed. Fixed.", ReplyClass.agrees),
        ("No problem, I'll fix it", ReplyClass.agrees),
        ("This is fixed now", ReplyClass.agrees),
        ("It is fixed in 3fa2b1c", ReplyClass.agrees),
        ("不是误报，已修", ReplyClass.agrees),
        ("+1", ReplyClass.agrees),
        ("There is no problem.", ReplyClass.wrong),
        ("Thanks, but this is wrong.", ReplyClass.wrong),
        ("Incorrect, x is set above", ReplyClass.wrong),
        ("-1", ReplyClass.wrong),
        ("This is intended", ReplyClass.wont_fix),
        ("You are not wrong", ReplyClass.other),
        ("This is no longer an issue, I changed the query", ReplyClass.other),
        ("Not a problem anymore", ReplyClass.other),
        ("No, a fixed-size buffer", ReplyClass.other),
        ("The check is done in the caller.", ReplyClass.other),
        ("The path is resolved before", ReplyClass.other),
        ("This is only called when x is true", ReplyClass.other),
        ("Wrong branch, never mind", ReplyClass.other),
    ],
)
def test_the_same_words_mean_the_opposite_elsewhere(text: str, kind: ReplyClass) -> None:
    """Or nothing, and then nothing is what they say."""
    assert kind is classified(text)


@given(st.text())
def test_any_text_has_a_class(text: str) -> None:
    """Whatever it holds."""
    assert classified(text) in ReplyClass


@given(st.sampled_from(AGREES + WRONG + WONT_FIX), st.sampled_from(AGREES + WRONG + WONT_FIX))
def test_what_is_quoted_changes_nothing(said: str, quoted: str) -> None:
    """A reply that quotes ours, or another reply, says what it says below."""
    assert classified(said) == classified(f"> {quoted}\n\n{said}")


def test_a_long_reply_costs_no_more_than_a_short_one() -> None:
    """Patterns do not go over a megabyte of hostile text."""
    assert classified("a " * 500_000 + "false positive") is ReplyClass.other
    for text in ("`" * READ_CHARS, ">" * READ_CHARS, "not " * 1_000, "can " * 1_000, "~~~" * 1_000):
        classified(text)
