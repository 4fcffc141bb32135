"""OSV records: which versions they affect, how grave they are, and what hostile ones come to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Severity
from bot.scanners.advisories.advisory import Advisory, lowest_repair
from bot.scanners.advisories.index import packed, unpacked
from bot.scanners.advisories.osv import NotOsv, record
from bot.scanners.advisories.severity import severity_of
from bot.scanners.advisories.weakness import merged
from tests.advisories import affected, osv, until

V3_CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V3_MEDIUM = "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N"
V3_NONE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"
V4_HIGH = "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
V4_LOW = "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"


def only(value: dict[str, Any]) -> Advisory:
    """Return the one advisory of a record."""
    (found,) = record(value).advisories.values()
    return found


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([("introduced", "0"), ("fixed", "2.0")], ["0.1", "1.9.9", "2.0rc1"], ["2.0", "3"]),
        ([("introduced", "1.0"), ("last_affected", "2.0")], ["1.0", "2.0"], ["0.9", "2.0.1"]),
        ([("introduced", "1.0")], ["1.0", "99"], ["0.9"]),
        (
            [("introduced", "3"), ("fixed", "3.5"), ("introduced", "1"), ("fixed", "1.5")],
            ["1.2", "3.1"],
            ["0.5", "1.5", "2", "3.5"],
        ),
    ],
)
def test_ranges(events: list[tuple[str, str]], inside: list[str], outside: list[str]):
    """Events count in the order of their versions, not in that of the record."""
    advisory = only(osv("A-1", affected("PyPI", "cat", *events)))
    assert ([True] * len(inside), [False] * len(outside)) == (
        [advisory.affects("PyPI", version) for version in inside],
        [advisory.affects("PyPI", version) for version in outside],
    )


def test_listed_versions_count_without_ranges():
    """Also those that cannot be compared."""
    advisory = only(osv("A-1", affected("PyPI", "cat", versions=["1.0-odd", "2.0"])))
    assert [True, True, False] == [advisory.affects("PyPI", v) for v in ("1.0-odd", "2.0", "2.1")]


@pytest.mark.parametrize(("bound", "inside"), [("<= 29.0", "29.0"), ("< 29.0", "28.9")])
def test_the_end_that_github_gives_apart_counts(bound: str, inside: str):
    """An advisory without a repair does not affect whatever comes later."""
    entry = affected(
        "Maven", "g:a", ("introduced", "0"), database_specific={"last_known_affected_version_range": bound}
    )
    advisory = only(osv("A-1", entry))
    assert (True, False) == (advisory.affects("Maven", inside), advisory.affects("Maven", "29.1"))
    assert [] == list(advisory.fixed_after("Maven", inside))


def test_packages_go_by_their_normal_names():
    """Several entries about one package are one advisory; unknown ecosystems are left out."""
    value = osv(
        "A-1",
        affected("PyPI", "Fluffy_Cat", ("introduced", "0"), ("fixed", "1")),
        affected("PyPI", "fluffy.cat", ("introduced", "2"), ("fixed", "3")),
        affected("Maven:https://repo.example", "g:a", ("introduced", "0")),
        affected("Debian:12", "cat", ("introduced", "0")),
    )
    found = record(value).advisories
    assert {("PyPI", "fluffy-cat"), ("Maven", "g:a")} == set(found)
    assert [True, False, True] == [
        found["PyPI", "fluffy-cat"].affects("PyPI", v) for v in ("0.5", "1.5", "2.5")
    ]


@pytest.mark.parametrize(
    ("vectors", "label", "expected"),
    [
        ([("CVSS_V3", V3_CRITICAL)], "LOW", Severity.critical),
        ([("CVSS_V3", V3_MEDIUM)], "", Severity.medium),
        ([("CVSS_V3", V3_NONE)], "", Severity.info),
        ([("CVSS_V4", V4_HIGH)], "", Severity.high),
        ([("CVSS_V3", V3_CRITICAL), ("CVSS_V4", V4_LOW)], "", Severity.low),
        ([("CVSS_V2", "AV:N/AC:L/Au:N/C:C/I:C/A:C")], "", Severity.critical),
        ([], "MODERATE", Severity.medium),
        ([], "critical", Severity.critical),
        ([("CVSS_V3", "garbage"), ("CVSS_V4", "CVSS:4.0/" + "A" * 5000), ("X", "1")], "HIGH", Severity.high),
        ([("CVSS_V3", "7.5")], "", None),
        ([], "", None),
    ],
)
def test_severity(vectors: list[tuple[str, str]], label: str, expected: Severity | None):
    """The newest vector that can be read counts, then the word of the database."""
    assert expected is severity_of(vectors, label)


def test_a_malicious_package_is_critical():
    """Whatever the record says."""
    advisory = only(osv("MAL-2031-1", affected("npm", "cat", ("introduced", "0"))))
    assert (True, Severity.critical) == (advisory.malicious, advisory.severity)
    assert only(until("GHSA-1", "npm", "cat", "2", aliases=["MAL-2031-1"])).malicious


def test_records_of_one_vulnerability_are_one():
    """Shared ids and aliases join them, also through a third; the CVE gives the name, the gravest the severity."""
    graver = {"severity": [{"type": "CVSS_V3", "score": V3_CRITICAL}]}
    records = [
        only(until("PYSEC-1", "PyPI", "cat", "2", aliases=["CVE-2031-7"])),
        only(until("OTHER-1", "PyPI", "cat", "2", database_specific={"severity": "LOW"})),
        only(until("GHSA-1", "PyPI", "cat", "2", aliases=["X-1"], **graver)),
        only(until("Y-1", "PyPI", "cat", "2", aliases=["X-1", "CVE-2031-7"])),
    ]
    weaknesses = merged(records)
    assert [("CVE-2031-7", Severity.critical, 3), ("OTHER-1", Severity.low, 1)] == [
        (one.known_as, one.severity, len(one.records)) for one in weaknesses
    ]
    assert [one.known_as for one in weaknesses] == [one.known_as for one in merged(records[::-1])]


def test_the_lowest_repair_ends_all():
    """It is not affected itself, and no prerelease unless the version in use is one."""
    advisories = [
        only(until("A-1", "npm", "cat", "1.5.0")),
        only(
            osv(
                "A-2",
                affected(
                    "npm",
                    "cat",
                    ("introduced", "1.4.0"),
                    ("fixed", "2.0.0-rc.1"),
                    ("introduced", "2.0.0"),
                    ("fixed", "2.0.1"),
                ),
            )
        ),
    ]
    assert "2.0.1" == lowest_repair("npm", "1.4.5", advisories)
    assert "2.0.0-rc.1" == lowest_repair("npm", "1.4.5-beta.1", advisories)
    assert "" == lowest_repair("npm", "3.0.0", advisories)
    assert "" == lowest_repair(
        "npm", "1.0.0", [only(osv("A-3", affected("npm", "cat", ("introduced", "0"))))]
    )


def test_withdrawn_records_affect_nothing():
    """From the time on that they say."""
    assert {} == record(until("A-1", "npm", "cat", "2", withdrawn="2020-01-01T00:00:00Z")).advisories
    assert {} == record(until("A-1", "npm", "cat", "2", withdrawn="yesterday")).advisories
    assert record(until("A-1", "npm", "cat", "2", withdrawn="2999-01-01T00:00:00Z")).advisories


def test_texts_are_short_and_plain():
    """Control characters go, references are https only, ids and CWEs are what they should be."""
    value = until(
        "A-1",
        "npm",
        "cat",
        "2",
        summary="",
        details="# Bad\x1b[31m\u202e thing " + "x" * 10_000 + "\nmore",
        aliases=["CVE-2031-1", "not an id!", 7],
        references=[
            {"type": "WEB", "url": "https://b.example/"},
            {"type": "ADVISORY", "url": "https://a.example/x"},
            {"type": "FIX", "url": "javascript:alert(1)"},
            {"type": "WEB", "url": "https://c.example/ x"},
        ],
        database_specific={"cwe_ids": ["CWE-79", "CWE-X", 1]},
    )
    advisory = only(value)
    assert advisory.summary.startswith("Bad [31m thing x")
    assert 300 == len(advisory.summary)
    assert ("CVE-2031-1",) == advisory.aliases
    assert ("https://a.example/x", "https://b.example/") == advisory.references
    assert ("CWE-79",) == advisory.cwe


@pytest.mark.parametrize(
    "value",
    [
        *([], None, "x", {}, {"id": "A-1"}, {"id": "../x", "modified": "2031-01-01T00:00:00Z"}),
        *({"id": "A-1", "modified": "soon"}, {"id": 7, "modified": "2031-01-01T00:00:00Z"}),
        *({"id": "A-1", "modified": "2031-01-01T00:00:00Z", "affected": {}},),
        osv("A-1", *[affected("npm", "cat")] * 3_000),
    ],
)
def test_what_is_no_record_is_refused(value: Any):
    """With a reason."""
    with pytest.raises(NotOsv, match=r"\w"):
        record(value)


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "affected",
    "package",
    "ranges",
    "events",
    "severity",
    "aliases",
    "references",
    "database_specific",
    "versions",
    "withdrawn",
    "summary",
    "details",
    "modified",
]


@given(field=st.sampled_from(FIELDS), junk=ANYTHING, inner=st.booleans())
def test_wrong_types_are_survived(field: str, junk: Any, inner: bool):
    """A field of a wrong type makes the record empty or refused, never an error."""
    value = until("A-1", "npm", "cat", "2", severity=[{"type": "CVSS_V3", "score": V3_MEDIUM}])
    (value["affected"][0] if inner else value)[field] = junk
    try:
        found = record(value)
    except NotOsv:
        return
    for advisory in found.advisories.values():
        advisory.affects("npm", "1.0.0")
        assert unpacked(packed(advisory)) == advisory


@given(
    st.lists(
        st.tuples(st.sampled_from(["introduced", "fixed", "last_affected"]), st.integers(0, 9).map(str)),
        max_size=6,
    ),
    st.integers(0, 9),
)
def test_what_is_fixed_is_above_and_unaffected(events: list[tuple[str, str]], version: int):
    """The repair that is offered is newer and free of the vulnerability."""
    found = record(osv("A-1", affected("PyPI", "cat", *events))).advisories.values()
    repair = lowest_repair("PyPI", str(version), list(found))
    assert not repair or (int(repair) > version and not any(one.affects("PyPI", repair) for one in found))
