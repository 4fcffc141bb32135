"""Versions compare as the rules of each ecosystem say."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.scanners.advisories.versions import is_prerelease, version_key
from bot.scanners.lockfiles.names import ECOSYSTEMS

#: Each row is strictly ascending.
ASCENDING = {
    "PyPI": ["1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0+local", "1.0.post1", "1.1", "1.10", "1!0.1"],
    "npm": [
        *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
        *("1.0.0-rc.1", "1.0.0", "1.0.1-0", "1.0.1", "1.10.0", "2.0.0"),
    ],
    "crates.io": ["0.1.0-a", "0.1.0", "0.1.9", "0.1.10", "0.2.0", "1.0.0"],
    "Go": [
        *("0.0.0-20180904163835-0709b304e793", "0.0.0-20200101000000-aaaaaaaaaaaa", "0.1.0-rc.1", "0.1.0"),
        *("1.2.3-0.20200101000000-abcdefabcdef", "1.2.3", "2.0.0+incompatible", "2.0.1"),
    ],
    "Maven": [
        *("1-alpha2snapshot", "1-alpha2", "1-alpha-123", "1-beta-2", "1-beta123", "1-m2", "1-m11", "1-rc"),
        *("1-cr2", "1-rc123", "1-SNAPSHOT", "1", "1-sp", "1-sp2", "1-sp123", "1-abc", "1-def", "1-pom-1"),
        *("1-1-snapshot", "1-1", "1-2", "1-123", "2.0", "2.0.a", "2-1", "2.0.2", "2.0.123", "2.1.0", "2.1-a"),
        *("2.1b", "2.1-c", "2.1-1", "2.1.0.1", "2.2", "2.123", "11.a2", "11.a11", "11.b2", "11.b11", "11.m2"),
        *("11.m11", "11", "11.a", "11b", "11c", "11m", "31.0-android", "31.0-jre", "31.1-android"),
    ],
    "RubyGems": [
        "1.0.a",
        "1.0.b1",
        "1.0.b2",
        "1.0.rc1",
        "1.0",
        "1.0.1",
        "1.1.a",
        "1.1",
        "1.10",
        "2.0.0-rc1",
        "2",
    ],
    "Packagist": [
        "1.0-dev",
        "1.0-alpha1",
        "1.0-beta1",
        "1.0-beta2",
        "1.0-RC1",
        "v1.0",
        "1.0-p1",
        "1.0.1",
        "1.10",
    ],
    "NuGet": ["1.0.0-A", "1.0.0-b", "1.0.0", "1.0.0.1", "1.0.1", "1.10.0"],
}
EQUAL = {
    "PyPI": ["1.0", "1", "1.0.0", "v1.0"],
    "npm": ["1.2.3", "v1.2.3", "=1.2.3", "1.2.3+build.5"],
    "Go": ["2.0.0", "2.0.0+incompatible", "v2.0.0"],
    "Maven": ["1", "1.0", "1.0.0", "1-0", "1.0-0", "1ga", "1.ga", "1-final", "1.0.RELEASE", "1.0.0-GA"],
    "RubyGems": ["1", "1.0", "1.0.0"],
    "Packagist": ["1.0", "v1.0.0", "1.0.0.0", "1.0.0+meta", "1.0-stable"],
    "NuGet": ["1.0-ALPHA", "1.0.0-alpha", "1.0.0.0-Alpha+meta"],
}
MAVEN_EQUAL = [
    *(("1a1", "1-alpha-1"), ("1b2", "1-beta-2"), ("1m3", "1-milestone-3"), ("1x", "1.0.0-x"), ("1CR", "1rc")),
    *(("1.0.0.RC1", "1.0.0-RC1"), ("1.foo", "1-foo"), ("1X", "1x"), ("1.0.0-foo.0.0", "1-foo")),
]


@pytest.mark.parametrize("ecosystem", ASCENDING)
def test_order(ecosystem: str):
    """Each version is below all that follow it."""
    for one, other in itertools.combinations(ASCENDING[ecosystem], 2):
        first, second = version_key(ecosystem, one), version_key(ecosystem, other)
        assert first < second, (one, other)
        assert not second < first, (one, other)
        assert first != second, (one, other)


@pytest.mark.parametrize("ecosystem", EQUAL)
def test_spellings(ecosystem: str):
    """Different spellings are one version."""
    assert len({str(v) for v in EQUAL[ecosystem]}) == len(EQUAL[ecosystem])
    for one, other in itertools.permutations(EQUAL[ecosystem], 2):
        assert version_key(ecosystem, one) == version_key(ecosystem, other), (one, other)


@pytest.mark.parametrize("pair", MAVEN_EQUAL)
def test_maven_abbreviations(pair: tuple[str, str]):
    """Short qualifiers, dots before words and zeros before dashes mean the same as the long form."""
    assert version_key("Maven", pair[0]) == version_key("Maven", pair[1])


@pytest.mark.parametrize(
    ("ecosystem", "version"),
    [
        *(
            ("PyPI", "1.0-custom-thing"),
            ("npm", "latest"),
            ("npm", "1.x"),
            ("Go", "master"),
            ("crates.io", ""),
        ),
        *(("RubyGems", "one"), ("Packagist", "dev-main"), ("Maven", ""), ("npm", "1" * 300)),
    ],
)
def test_what_is_no_version_is_refused(ecosystem: str, version: str):
    """Rather than compared by guess."""
    with pytest.raises(ValueError):  # noqa: PT011 - the message is for nobody
        version_key(ecosystem, version)


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS)
def test_prereleases(ecosystem: str):
    """They are told from final versions."""
    before = {"RubyGems": "1.0.rc1", "PyPI": "1.0rc1", "Packagist": "1.0-RC1"}.get(ecosystem, "1.0.0-rc.1")
    assert (True, False) == (is_prerelease(ecosystem, before), is_prerelease(ecosystem, "1.0.0"))
    assert not is_prerelease("Maven", "31.0-jre")


PARTS = st.lists(
    st.sampled_from(["0", "1", "2", "10", "a", "rc", "sp", "x", "ga", "snapshot"]), min_size=1, max_size=5
)
VERSIONS = st.tuples(PARTS, st.lists(st.sampled_from(".-"), min_size=4, max_size=4)).map(
    lambda made: "".join(part + mark for part, mark in zip(made[0], [*made[1], "", ""], strict=False)).rstrip(
        ".-"
    )
)


@pytest.mark.parametrize("ecosystem", ["Maven", "RubyGems", "npm", "Packagist", "NuGet"])
@given(one=VERSIONS, other=VERSIONS, third=VERSIONS)
def test_the_order_is_an_order(ecosystem: str, one: str, other: str, third: str):
    """Exactly one of below, equal, above holds; equal versions have equal hashes; three of them agree.

    Maven's own order goes round in circles for odd versions: 0 < a < 0.snapshot < 0.
    """
    try:
        first, second, last = (version_key(ecosystem, version) for version in (one, other, third))
    except ValueError:
        return
    assert 1 == (first < second) + (first == second) + (second < first)
    assert first != second or hash(first) == hash(second)
    if ecosystem != "Maven" and first < second < last:
        assert not last < first


@given(st.text(max_size=30), st.sampled_from(ECOSYSTEMS))
def test_any_text_has_a_key_or_is_refused(text: str, ecosystem: str):
    """Nothing but ValueError comes out, and a key compares with that of a real version."""
    try:
        key = version_key(ecosystem, text)
    except ValueError:
        return
    assert key == key
    assert isinstance(key < version_key(ecosystem, "1.0.0"), bool)
