"""What nobody should have to read is recognised, and nothing else."""

import pytest

from bot.domain.findings import Finding, Severity
from bot.domain.noise import alike, noise


def finding(title: str, message: str) -> Finding:
    """Return a finding that says this."""
    return Finding(
        scanner="model", rule="correctness", category="correctness", severity=Severity.low,
        path="a.py", line=1, end_line=1, title=title, message=message,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "message", "reason"),
    [
        ("Missing docstring", "The function has no docstring.", "it is a matter of style"),
        ("Variable name is too short", "x tells nothing.", "it is a matter of style"),
        ("Naming convention not followed", "PEP 8 asks for snake_case.", "it is a matter of style"),
        ("No unit tests for this function", "Add some.", "it is a matter of style"),
        ("Line too long", "It has 130 characters.", "it is a matter of style"),
        ("Unused import", "os is imported and not used.", "it is a matter of style"),
        ("Magic number", "86400 should have a name.", "it is a matter of style"),
        ("Trailing whitespace", "Line 3 ends in blanks.", "it is a matter of style"),
        ("缺少注释", "函数没有注释。", "it is a matter of style"),
        ("Error handling", "Consider adding error handling here.", "it advises without saying what goes wrong"),
        ("Input validation", "Ensure that the input is validated.", "it advises without saying what goes wrong"),
        ("Session handling", "Make sure the session is closed.", "it advises without saying what goes wrong"),
        ("Query", "It is recommended to use an index.", "it advises without saying what goes wrong"),
        ("Retry", "You may want to add a retry.", "it advises without saying what goes wrong"),
        ("Consider a constant", "The value appears here and there.", "it advises without saying what goes wrong"),
        ("错误处理", "建议添加错误处理。", "it advises without saying what goes wrong"),
        ("No issues found", "All is well.", "it reports no defect"),
        ("Code looks good", "Well structured.", "it reports no defect"),
        ("Sum of values", "total = sum(values)", "it only repeats the code"),
        ("Total is computed", "", "it does not say why"),
    ],
)  # fmt: skip
def test_noise_is_recognised(title: str, message: str, reason: str) -> None:
    """By what it says, and by what it does not say."""
    assert noise(finding(title, message), ["total = sum(values)"]) == reason


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("Loop runs one past the end", "items[len(items)] raises IndexError."),
        ("Division by zero for an empty input", "The length of an empty collection is 0, so the division raises ZeroDivisionError."),
        ("Error is swallowed", "Consider raising: the caller takes the failure for success."),
        ("Ensure the lock is held", "Two threads can enter at once and the counter loses updates."),
        ("Typo in the key loses the value", "`adress` is never read, so the address is lost."),
        ("Unused variable hides a wrong result", "`rc` is not checked, so a failure is ignored."),
        ("Wrong comparison", "`is` compares identity: equal strings differ."),
        ("File is not closed on errors", "An exception before the close leaves the file open. Use a `with` block."),
        ("None compared by equality", "A class that defines `__eq__` can answer anything here. Identity is meant."),
        ("Token is compared in variable time", "Timing tells an outsider how many characters match."),
        ("SQL built from values", "A value with a quote in it ends the literal, and what follows is run as SQL."),
        ("除零错误", "列表为空时会抛出异常。"),
        ("建议检查返回值", "忽略返回值会导致数据丢失。"),
        ("Exit status is ignored", "Check it."),
    ],
)  # fmt: skip
def test_a_defect_with_a_consequence_is_no_noise(title: str, message: str) -> None:
    """Whatever words it begins with."""
    assert noise(finding(title, message), ["total = sum(values)"]) is None


def test_likeness_looks_at_words_not_at_their_forms() -> None:
    """Order, small words and endings do not count; another subject does."""
    assert alike("Loop runs past the end", "The loop running past its ends") > 0.7
    assert alike("Loop runs past the end", "SQL built from user input") == 0
    assert alike("空列表时除零", "列表为空时除零错误") >= 0.3
    assert alike("", "anything") == 0
