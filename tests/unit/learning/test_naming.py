"""Who is named in comments and in prose is found by what stands before the name."""

from __future__ import annotations

import pytest

from bot.learning.naming import without_names


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("x = 1  # ask @jane.doe about it", "x = 1  # ask @P about it"),
        ("+// as @jane and @bob-2 said", "+// as @P and @P said"),
        ("   12 + # @jane, please look", "   12 + # @P, please look"),
        ("<!-- reviewed with @jane -->", "<!-- reviewed with @P -->"),
        ("-- see @jane", "-- see @P"),
        ('"""Thanks to @jane."""', '"""Thanks to @P."""'),
        ("src/ @jane @team/backend", "src/ @P @P"),
        ("# Created by Jane Doe on 2024-01-01", "# Created by P on 2024-01-01"),
        ("/* Written by: Jane van der Doe */", "/* Written by: P */"),
        (" * Contact: Jane Doe", " * Contact: P"),
        ("# owner: Jane", "# owner: P"),
        ("> Committer: Jane Doe", "> Committer: P"),
        ("# 作者:张三", "# 作者:P"),
        ("# Autorin: Jane Doe", "# Autorin: P"),
        ("// Auteur : Zoé Durand", "// Auteur : P"),
        ("# Автор: Иван Петров", "# Автор: P"),
        ("// 负责人\uff1a李四\uff0c王五", "// 负责人\uff1aP\uff0c王五"),
    ],
)
def test_people_are_not_named(text: str, clean: str) -> None:
    """In comments of all languages, in prompts and in changes."""
    assert clean == without_names(text, lambda _: "P")


@pytest.mark.parametrize(
    "code",
    [
        "@dataclass\nclass A: ...",
        "# @app.route('/x')",
        " * @param name as @name says",
        "/** {@link Foo} */",
        "# use @property here, or `@jane`",
        "import { a } from '@scope/pkg' // from @scope/pkg",
        'puts "#{@user.name}"',
        "a = b @ c",
        "color: #fff; @include x",
        "# created by the scheduler on start",
        "# owner: the thread that holds the lock",
        "git@example.com:x/y.git",
        "def made_by(Jane, Doe): ...",
    ],
)
def test_decorators_tags_and_other_words_stay(code: str) -> None:
    """Code is not changed, nor are comments about it."""
    assert code == without_names(code, lambda _: "P")
