"""The scanner of dependencies: what it says about packages that a merge request adds."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.process import ProcessRunner
from bot.domain.errors import Permanent
from bot.domain.findings import Finding, ScanReport, Severity
from bot.scanners import Source
from bot.scanners.advisories.index import FILE
from bot.scanners.dependencies import DependencyScanner
from tests.advisories import affected, imported, osv, until

CRITICAL = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]


def source(path: str, content: str, added: set[int] | None = None) -> Source:
    """Return a file, all of it added unless *added* says which lines are."""
    lines = range(1, content.count("\n") + 2)
    return Source(path, content.encode(), frozenset(lines if added is None else added))


async def scan(directory: Path, *sources: Source) -> ScanReport:
    return await DependencyScanner(directory).scan(sources, ProcessRunner())


async def told(directory: Path, *sources: Source) -> list[Finding]:
    """Return what people hear of it: the findings on added lines, folded."""
    scanner = DependencyScanner(directory)
    report = await scanner.scan(sources, ProcessRunner())
    added = {one.path: one.added for one in sources}
    touched = [f for f in report.findings if added[f.path] & set(range(f.line, f.end_line + 1))]
    return scanner.fold(touched)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with advisories about invented packages."""
    imported(
        tmp_path,
        until(
            "GHSA-cat1-cat1-cat1",
            "PyPI",
            "fluffy-cat",
            "2.20.0",
            aliases=["CVE-2031-1001"],
            summary="Fur gets into requests",
            database_specific={"severity": "HIGH", "cwe_ids": ["CWE-522"]},
        ),
        until("PYSEC-2031-1", "PyPI", "Fluffy_Cat", "2.20.0", aliases=["CVE-2031-1001"]),
        osv(
            "GHSA-cat2-cat2-cat2",
            affected("PyPI", "fluffy-cat", ("introduced", "2.0"), ("fixed", "2.21.0")),
            aliases=["CVE-2031-1002"],
            database_specific={"severity": "LOW"},
        ),
        until(
            "GHSA-tail-tail-tail", "npm", "@fur/tail", "2.5.0", aliases=["CVE-2031-2001"], severity=CRITICAL
        ),
        until("GHSA-npm0-npm0-cat0", "npm", "cat", "1.5.0", aliases=["CVE-2031-2002"]),
        osv("MAL-2031-7", affected("npm", "catt", versions=["1.0.0"])),
        until("GO-2031-1", "Go", "github.com/fluffy/cat", "1.5.0"),
        until("GHSA-mvn0-mvn0-mvn0", "Maven", "org.cat:cat", "2.0.1"),
        until("RUSTSEC-2031-1", "crates.io", "cat", "1.5.0"),
    )
    return tmp_path


async def test_one_package_is_one_finding(directory: Path):
    """The gravest vulnerability leads, the others are listed; two databases are not two vulnerabilities."""
    (found,) = await told(
        directory, source("requirements.txt", "other==1\nFluffy.Cat[x]==2.19.0 ; python_version>'3'\n")
    )
    assert ("requirements.txt", 2, 2, Severity.high) == (
        found.path,
        found.line,
        found.end_line,
        found.severity,
    )
    assert "fluffy-cat 2.19.0 has 2 known vulnerabilities (CVE-2031-1001 and others)" == found.title
    assert "CVE-2031-1001: Fur gets into requests" in found.message
    assert "Update to 2.21.0 or later." in found.message
    assert "It is also affected by CVE-2031-1002 (low)." in found.message
    assert ("CWE-522",) == found.cwe
    assert "https://osv.dev/vulnerability/GHSA-cat1-cat1-cat1" == found.references[0]
    assert "PyPI/fluffy-cat/CVE-2031-1001" == found.subject
    assert found.fix is not None
    assert "Fluffy.Cat[x]==2.21.0 ; python_version>'3'" == found.fix.replacement


async def test_versions_that_are_not_affected_are_silent(directory: Path):
    """The repaired version, another package, and a name that only looks alike."""
    text = "fluffy-cat==2.21.0\nfluffy-dog==1.0\nfluffycat==1.0\n"
    assert ScanReport(scanner="dependencies", analysed=("requirements.txt",)) == await scan(
        directory, source("requirements.txt", text)
    )


async def test_each_vulnerability_has_its_own_subject(directory: Path):
    """Before folding, so that what was there before an update is not new after it."""
    before = await scan(directory, source("requirements.txt", "fluffy-cat==2.18.0\n"))
    after = await scan(directory, source("requirements.txt", "fluffy-cat==2.20.0\n"))
    assert {"PyPI/fluffy-cat/CVE-2031-1002"} == {f.subject for f in after.findings}
    assert {f.subject for f in after.findings} < {f.subject for f in before.findings}


async def test_manifest_and_lock_file_are_one_finding(directory: Path):
    """It stands where it can be mended, and names the other place."""
    manifest = '{\n "dependencies": {\n  "cat": "1.2.3"\n }\n}\n'
    lock = json.dumps(
        {"packages": {"": {"dependencies": {"cat": "1.2.3"}}, "node_modules/cat": {"version": "1.2.3"}}},
        indent=1,
    )
    (found,) = await told(
        directory, source("web/package-lock.json", lock), source("web/package.json", manifest)
    )
    assert ("web/package.json", 3) == (found.path, found.line)
    assert "The same version is named in web/package-lock.json:8." in found.message
    assert "Update to 1.5.0 or later, and then the lock file." in found.message
    assert found.fix is not None
    assert '  "cat": "1.5.0"' == found.fix.replacement


async def test_what_brought_it_in_is_named(directory: Path):
    """A transitive package is mended by what depends on it."""
    entry = {"version": "1.9.0", "dependencies": {"@fur/tail": "^2.0.0"}}
    lock = {
        "packages": {
            "": {"dependencies": {"parent": "1"}},
            "node_modules/parent": entry,
            "node_modules/@fur/tail": {"version": "2.0.0"},
        }
    }
    (found,) = await told(directory, source("package-lock.json", json.dumps(lock, indent=1)))
    assert Severity.critical is found.severity
    assert "It is not a direct dependency: parent brought it in." in found.message
    assert (
        "Update parent so that it brings in 2.5.0 or later, or require 2.5.0 or later yourself."
        in found.message
    )
    assert found.fix is None


async def test_a_malicious_package_is_critical(directory: Path):
    """There is no version to update to."""
    (found,) = await told(directory, source("package.json", '{"dependencies": {"catt": "1.0.0"}}'))
    assert ("malicious-package", Severity.critical, None) == (found.rule, found.severity, found.fix)
    assert "catt 1.0.0 is known to be malicious (MAL-2031-7)" == found.title
    assert "replace every secret" in found.message


@pytest.mark.parametrize(
    ("path", "content", "line", "mended"),
    [
        (
            "go.mod",
            "module a\nrequire (\n\tgithub.com/fluffy/cat v1.2.3\n)\n",
            3,
            "\tgithub.com/fluffy/cat v1.5.0",
        ),
        ("Cargo.toml", '[dependencies]\ncat = { version = "=1.2.3" }\n', 2, 'cat = { version = "=1.5.0" }'),
        (
            "pom.xml",
            "<project><dependencies><dependency>\n<groupId>org.cat</groupId><artifactId>cat</artifactId>\n"
            "<version>1.2</version>\n</dependency></dependencies></project>",
            1,
            "<version>2.0.1</version>",
        ),
        ("build.gradle", "implementation 'org.cat:cat:1.2'\r\n", 1, "implementation 'org.cat:cat:2.0.1'\r"),
        (
            "pyproject.toml",
            '[project]\ndependencies = ["fluffy-cat==1.0"]\n',
            2,
            'dependencies = ["fluffy-cat==2.20.0"]',
        ),
    ],
)
async def test_a_pin_can_be_replaced(directory: Path, path: str, content: str, line: int, mended: str):
    """The line of the version, with nothing else changed."""
    (found,) = await told(directory, source(path, content))
    assert line == found.line
    assert found.fix is not None
    assert mended == found.fix.replacement


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("requirements.txt", "fluffy-cat==1.0 --hash=sha256:aa\n"),
        ("requirements.txt", "fluffy-cat==1.0 \\\n  --hash=sha256:aa\n"),
        ("requirements.txt", "fluffy-cat==1.0 # not 1.0\n"),
        ("go.mod", "module a\nrequire github.com/fluffy/cat v0.9.0\n"),
        ("Cargo.lock", '[[package]]\nname = "cat"\nversion = "1.0.0"\nsource = "registry+x"\n'),
    ],
)
async def test_what_cannot_be_replaced_safely_is_not_offered(directory: Path, path: str, content: str):
    """Hashes, versions that stand there twice, other major versions of Go, lock files."""
    (found,) = await told(directory, source(path, content))
    assert found.fix is None


async def test_findings_stand_on_added_lines_if_they_can(directory: Path):
    """A property that is changed brings the finding to its line; other packages are told for comparison only."""
    pom = (
        "<project><properties>\n<cat.version>1.2</cat.version>\n</properties><dependencies><dependency>\n"
        "<groupId>org.cat</groupId><artifactId>cat</artifactId>\n<version>${cat.version}</version>\n"
        "</dependency></dependencies></project>"
    )
    report = await scan(directory, source("pom.xml", pom, {2}))
    assert [2] == [found.line for found in report.findings]
    report = await scan(
        directory, source("requirements.txt", "fluffy-cat==1.0\nfluffy-cat==1.1\nb==1\n", {3})
    )
    assert [1, 2] == [found.line for found in report.findings]


async def test_files_that_are_not_understood_are_not_clean(directory: Path):
    """They are named with the reason, and do not hide the others."""
    report = await scan(
        directory,
        source("package-lock.json", "{"),
        source("pom.xml", '<!DOCTYPE p [<!ENTITY a "b">]><project/>'),
        source("README.md", "fluffy-cat==1.0"),
        Source("poetry.lock", b"#" * 11_000_000, frozenset({1})),
        source("go.mod", "module a\nrequire github.com/fluffy/cat v1.0.0\n"),
    )
    assert ("go.mod",) == report.analysed
    assert {"package-lock.json", "pom.xml", "README.md", "poetry.lock"} == set(report.not_analysed)
    assert "larger than 10 MB" == report.not_analysed["poetry.lock"]
    assert ["go.mod"] == [found.path for found in report.findings]


async def test_requirements_in_utf_16_are_read(directory: Path):
    """PowerShell writes them so."""
    content = "fluffy-cat==1.0\r\n".encode("utf-16")
    (found,) = (await scan(directory, Source("requirements.txt", content, frozenset({1})))).findings
    assert 1 == found.line


async def test_a_flood_is_cut_and_said_to_be(tmp_path: Path):
    """The gravest hundred packages are told, and the file counts as looked at in part."""
    grave: dict[str, Any] = {"database_specific": {"severity": "CRITICAL"}}
    records = [until(f"A-{n}", "PyPI", f"cat{n}", "2", **(grave if n % 2 else {})) for n in range(150)]
    imported(tmp_path, *records)
    text = "".join(f"cat{n}==1\n" for n in range(150))
    report = await scan(tmp_path, source("requirements.txt", text))
    assert 100 == len(report.findings)
    assert 75 == sum(found.severity is Severity.critical for found in report.findings)
    assert "more than 100 vulnerable packages" in report.not_analysed["requirements.txt"]


async def test_comparisons_are_bounded(tmp_path: Path):
    """Thousands of versions of a package with hundreds of advisories are not compared to the end."""
    imported(tmp_path, *(until(f"A-{n}", "npm", "cat", f"{n + 1}.0.0") for n in range(300)))
    packages = {f"node_modules/x{n}/node_modules/cat": {"version": f"9{n}.0.0"} for n in range(5_000)}
    report = await scan(tmp_path, source("package-lock.json", json.dumps({"packages": packages}, indent=1)))
    assert "more packages with advisories" in report.not_analysed["package-lock.json"]


async def test_without_advisories_nothing_is_clean(tmp_path: Path):
    """The scanner says that it is absent, and reports no file as analysed."""
    for directory in (None, tmp_path):
        scanner = DependencyScanner(directory)
        assert "cloister advisories import" in scanner.absent()
        report = await scanner.scan([source("go.mod", "module a\n")], ProcessRunner())
        assert ((), {"go.mod"}) == (report.analysed, set(report.not_analysed))


async def test_an_import_counts_at_once(directory: Path):
    """A scanner that was made before notices it."""
    scanner = DependencyScanner(directory)
    one = source("requirements.txt", "new-cat==1.0\n")
    assert () == (await scanner.scan([one], ProcessRunner())).findings
    imported(directory, until("A-1", "PyPI", "new-cat", "2"))
    assert ["PyPI/new-cat/A-1"] == [f.subject for f in (await scanner.scan([one], ProcessRunner())).findings]


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(4000)])
async def test_a_damaged_index_is_an_error_with_a_remedy(tmp_path: Path, content: bytes):
    """Rather than an empty one."""
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(Permanent, match="cloister advisories import --fresh"):
        await scan(tmp_path, source("requirements.txt", "cat==1\n"))
