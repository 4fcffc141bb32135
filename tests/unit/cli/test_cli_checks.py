"""The doctor's checks, each with nothing around it."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.model_errors import Unfit
from bot.cli.checks import (
    Check,
    Outcome,
    delivery,
    fail,
    gitlab,
    guarded,
    kafka,
    model,
    ok,
    storage,
    tools,
    version_of,
)
from bot.cli.checks.isolation import isolation
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import ScanReport
from bot.domain.forge import ForgeUser
from bot.gitlab.administration import Installation, Project, TokenInfo
from bot.gitlab.errors import TokenRejected
from bot.ports import Command, Completed

TODAY = date(2030, 1, 1)


@dataclass
class FakeAdmin:
    """Answer as a GitLab that is set up well, unless told otherwise."""

    release: str = "17.5.1-ee"
    token: TokenInfo = field(default_factory=lambda: TokenInfo(scopes=("api",), expires_at=date(2030, 6, 1)))
    level: int = 30
    broken: Exception | None = None

    async def version(self):
        if self.broken:
            raise self.broken
        return Installation(version=self.release)

    async def token_info(self):
        return self.token

    async def user(self):
        return ForgeUser(7, "project_1_bot")

    async def project(self, path_or_id: str | int):
        return Project(id=1, path_with_namespace=str(path_or_id))

    async def access_level(self, path_or_id: str | int, user_id: int):
        assert user_id == 7
        return self.level


async def outcomes(admin: FakeAdmin, project: str | None = "group/app") -> dict[str, Outcome]:
    """Return the outcomes of all GitLab checks by name."""
    return {check.name: check.outcome for check in await gitlab.inspect(admin, project, TODAY)}


async def test_a_gitlab_that_is_set_up_well_passes():
    """Nothing to do."""
    assert set((await outcomes(FakeAdmin())).values()) == {Outcome.ok}


async def test_an_old_gitlab_is_warned_about():
    """15.11 may work, but nobody tried."""
    assert (await outcomes(FakeAdmin(release="15.11.0")))["gitlab"] is Outcome.warn


async def test_a_gitlab_out_of_reach_fails_once():
    """One failure, not one for each thing that could not be asked."""
    found = await outcomes(FakeAdmin(broken=Transient("no route")))

    assert found == {"gitlab": Outcome.fail, "token": Outcome.skipped}


async def test_a_token_that_gitlab_rejects_is_what_fails():
    """Neither the URL nor the network is to blame, and nothing else could be asked."""
    found = await gitlab.inspect(FakeAdmin(broken=TokenRejected("401")), "group/app", TODAY)

    assert [(check.name, check.outcome) for check in found] == [
        ("gitlab", Outcome.ok),
        ("token", Outcome.fail),
    ]
    assert "CLOISTER_GITLAB_TOKEN" in found[-1].remedy


@pytest.mark.parametrize(
    ("token", "name", "outcome"),
    [
        (TokenInfo(scopes=("read_api",)), "token scopes", Outcome.fail),
        (TokenInfo(scopes=("api", "sudo")), "token scopes", Outcome.warn),
        (TokenInfo(scopes=("api", "admin_mode")), "token scopes", Outcome.warn),
        (TokenInfo(scopes=("api",)), "token expiry", Outcome.ok),
        (TokenInfo(scopes=("api",), expires_at=TODAY), "token expiry", Outcome.fail),
        (TokenInfo(scopes=("api",), expires_at=TODAY + timedelta(29)), "token expiry", Outcome.warn),
        (TokenInfo(scopes=("api",), expires_at=TODAY + timedelta(30)), "token expiry", Outcome.ok),
        (TokenInfo(scopes=("api",), active=False), "token", Outcome.fail),
    ],
)
async def test_tokens_are_judged(token: TokenInfo, name: str, outcome: Outcome):
    """Too little, too much, too short."""
    assert (await outcomes(FakeAdmin(token=token)))[name] is outcome


@pytest.mark.parametrize(
    ("level", "outcome"), [(0, Outcome.fail), (20, Outcome.fail), (30, Outcome.ok), (50, Outcome.ok)]
)
async def test_the_role_must_be_developer_or_more(level: int, outcome: Outcome):
    """A Reporter can comment but neither resolve nor set a status."""
    assert (await outcomes(FakeAdmin(level=level)))["project role"] is outcome


async def test_without_a_project_the_role_is_skipped():
    """It says how to check it."""
    checks = await gitlab.inspect(FakeAdmin(), None, TODAY)

    assert [(check.outcome, check.remedy) for check in checks if check.name == "project role"] == [
        (Outcome.skipped, "add --project GROUP/PROJECT")
    ]


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("https://gitlab.example", Outcome.ok),
        ("http://127.0.0.1:80", Outcome.ok),
        ("http://gitlab.example", Outcome.warn),
    ],
)
def test_plain_http_is_warned_about(url: str, outcome: Outcome):
    """A token in the clear is a token given away."""
    assert gitlab.transport(url).outcome is outcome


def test_signing_is_told_by_release():
    """Signed webhooks exist from 19.0 on."""
    assert "plain secret" in gitlab.signing("18.11.0").detail
    assert "signs" in gitlab.signing("19.0.0").detail


@pytest.mark.parametrize(
    ("listen", "host", "gitlab_url", "outcome"),
    [
        ("127.0.0.1:8080", "127.0.0.1", "https://gitlab.example", Outcome.warn),
        ("127.0.0.1:8080", "127.0.0.1", "http://localhost", Outcome.warn),
        ("0.0.0.0:8080", "0.0.0.0", "https://gitlab.example", Outcome.ok),
    ],
)
def test_an_address_that_gitlab_cannot_call_is_warned_about(
    listen: str, host: str, gitlab_url: str, outcome: Outcome
):
    """Webhooks to loopback never arrive, or are refused by GitLab."""
    assert delivery.listen(listen, host, gitlab_url).outcome is outcome


def test_weak_secrets_are_warned_about():
    """One weak secret is enough to get in."""
    assert delivery.secret(()).outcome is Outcome.skipped
    assert delivery.secret(("x" * 15, "y" * 40)).outcome is Outcome.warn
    assert delivery.secret(("x" * 16,)).outcome is Outcome.ok


def test_missing_settings_are_told_with_the_way_to_set_them():
    """The remedy column holds what to write."""
    check = delivery.settings(["A is not set; set it like A=1", "B is not set; set it like B=2"])

    assert check == Check(
        "settings", Outcome.fail, "A is not set; B is not set", "set it like A=1; set it like B=2"
    )


@pytest.mark.parametrize(
    ("current", "outcome"),
    [("0002", Outcome.ok), (None, Outcome.fail), ("0001", Outcome.fail), ("0003", Outcome.fail)],
)
def test_the_schema_must_be_ours(current: str | None, outcome: Outcome):
    """Too old and too new both keep Cloister from starting."""
    assert storage.schema("database", current, "0002").outcome is outcome


@pytest.mark.parametrize(
    ("version", "outcome"),
    [((14, 18), Outcome.fail), ((15, 0), Outcome.ok), ((18, 1), Outcome.ok), ((19, 0), Outcome.ok)],
)
def test_a_postgres_must_not_be_too_old(version: tuple[int, int], outcome: Outcome):
    """A newer one than we know is said to be that, and used."""
    check = storage.server(version)

    assert outcome == check.outcome
    assert f"Postgres {version[0]}.{version[1]}" in check.detail
    assert ("newer than" in check.detail) == (version[0] == 19)


@pytest.mark.parametrize(
    ("url", "encrypted", "outcome"),
    [
        ("postgresql:///cloister?host=/run/postgresql", False, Outcome.ok),
        ("postgresql://cloister@127.0.0.1/cloister", False, Outcome.ok),
        ("postgresql://cloister@db.example/cloister", False, Outcome.warn),
        ("postgresql://cloister@db.example/cloister?sslmode=require", True, Outcome.warn),
        ("postgresql://cloister@db.example/cloister?sslmode=verify-full", True, Outcome.ok),
    ],
)
def test_a_database_beyond_this_machine_needs_tls(url: str, encrypted: bool, outcome: Outcome):
    """Encryption alone does not tell whose server it is."""
    check = storage.transport(url, encrypted=encrypted)

    assert outcome == check.outcome
    assert (outcome == Outcome.warn) == ("sslmode=verify-full" in check.remedy)


@dataclass(frozen=True)
class FakeCluster:
    """Brokers as they may be found."""

    brokers: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class FakeTopic:
    """A topic as it may be found."""

    name: str
    partitions: int = 16
    drift: tuple[str, ...] = ()


def test_brokers_that_do_not_work_are_warned_about():
    """What works is enough, but the rest is told with its remedy."""
    problem = "b:9092: no Kafka broker listens there: check CLOISTER_LOG_URL"

    assert [
        Check("event log", Outcome.ok, "Kafka, 1 broker: a:9092"),
        Check(
            "kafka broker", Outcome.warn, "b:9092: no Kafka broker listens there", "check CLOISTER_LOG_URL"
        ),
    ] == kafka.brokers(FakeCluster(("a:9092",), (problem,)))
    assert [Outcome.fail] == [check.outcome for check in kafka.unreachable(problem)]


def test_a_problem_ends_with_its_remedy():
    """Settings put a semicolon before it, adapters a colon."""
    (check,) = kafka.unreachable("CLOISTER_KAFKA_CA_FILE: cannot use /ca: No such file; name a PEM file")

    assert ("CLOISTER_KAFKA_CA_FILE: cannot use /ca: No such file", "name a PEM file") == (
        check.detail,
        check.remedy,
    )


@pytest.mark.parametrize(
    ("hosts", "encrypted", "outcome"),
    [
        (["kafka.example"], True, Outcome.ok),
        (["127.0.0.1", "::1"], False, Outcome.ok),
        (["127.0.0.1", "kafka.example"], False, Outcome.warn),
    ],
)
def test_events_in_the_clear_are_warned_about(hosts: list[str], encrypted: bool, outcome: Outcome):
    """On this machine alone they may be."""
    assert outcome == kafka.transport(hosts, encrypted=encrypted).outcome


@pytest.mark.parametrize(
    ("topics", "outcome", "detail"),
    [
        ([FakeTopic("a"), FakeTopic("b", 4)], Outcome.ok, "2, with 20 partitions"),
        ([FakeTopic("a"), FakeTopic("b", 0, ("missing",))], Outcome.fail, "missing: b"),
        ([FakeTopic("a", 1, ("1 instead of 16",)), FakeTopic("b")], Outcome.warn, "a: 1 instead of 16"),
    ],
)
def test_topics_must_be_there(topics: list[FakeTopic], outcome: Outcome, detail: str):
    """A missing one stops the work, a different one may be meant."""
    (check,) = kafka.topics(topics)

    assert (outcome, detail) == (check.outcome, check.detail)
    assert outcome == Outcome.ok or "cloister kafka init" in check.remedy


def test_the_data_directory_is_looked_at_where_it_is_or_will_be(tmp_path: Path):
    """A directory that does not exist yet is fine if it can be made."""
    (tmp_path / "file").touch()

    assert storage.data_directory(tmp_path / "a" / "b", "")[0].outcome is Outcome.ok
    assert storage.data_directory(tmp_path / "file", "")[0].outcome is Outcome.fail
    assert (
        storage.data_directory(tmp_path, f"srv:/x {tmp_path.resolve()} nfs4 rw 0 0\n")[0].outcome
        is Outcome.warn
    )


def test_the_innermost_mount_counts():
    """A local disk below a network mount is local."""
    mounts = "a / ext4 rw 0 0\nb /net nfs rw 0 0\nc /net/my\\040disk xfs rw 0 0\nbroken\n"

    assert [storage.filesystem(Path(path), mounts) for path in ("/net/x", "/net/my disk/x", "/network")] == [
        "nfs",
        "xfs",
        "ext4",
    ]


@dataclass(frozen=True)
class FakeFacts:
    """What a model server says."""

    version: str = "0.20.0"
    context_tokens: int | None = 16_384
    loaded_tokens: int | None = None
    gpu_share: float | None = None


@dataclass(frozen=True)
class FakeServer:
    """A model server."""

    facts: FakeFacts = FakeFacts()
    label: str = "Ollama at http://m"
    window_tokens: int = 16_384

    async def check(self):
        return self.facts


@pytest.mark.parametrize(
    ("context", "outcomes"),
    [(16_384, ["ok", "ok"]), (8_192, ["ok", "warn"]), (None, ["ok"])],
)
async def test_a_context_that_the_model_was_not_made_for_is_warned_about(
    context: int | None, outcomes: list[str]
):
    """More than the model was made for is not used."""
    checks = await model.model(FakeServer(FakeFacts(context_tokens=context)), "m", 16_384)

    assert [check.outcome for check in checks] == outcomes


async def test_a_context_without_room_for_a_review_fails():
    """All files would be left out of every review."""
    checks = await model.model(FakeServer(FakeFacts(context_tokens=2_048), window_tokens=2_048), "m", None)

    assert [check.outcome for check in checks] == ["ok", "fail"]
    assert "no review fits" in checks[1].detail


@dataclass(frozen=True)
class UnfitServer(FakeServer):
    """A server without the model."""

    async def check(self):
        raise Unfit("Ollama does not have m: run `ollama pull m` on its machine")


async def test_what_to_do_is_what_the_server_needs():
    """Not what would help with a server that is away."""
    assert await model.model(UnfitServer(), "m", None) == [
        fail("model", "Ollama does not have m", "run `ollama pull m` on its machine")
    ]


@pytest.mark.parametrize(
    ("loaded", "share", "outcome", "says"),
    [
        (16_384, None, "ok", "with 16384 tokens"),
        (16_384, 1.0, "ok", "100% on graphics cards"),
        (16_384, 0.0, "ok", "0% on graphics cards"),
        (16_384, 0.6, "warn", "60% on graphics cards"),
        (4_096, 1.0, "warn", "with 4096 tokens of context, we ask for 16384"),
    ],
)
async def test_how_a_model_is_loaded_is_judged(loaded: int, share: float | None, outcome: str, says: str):
    """Half on the cards is many times as slow, and another context means loading it anew."""
    facts = FakeFacts(loaded_tokens=loaded, gpu_share=share)
    *_, check = await model.model(FakeServer(facts), "m", None)

    assert (check.name, check.outcome) == ("model loaded", outcome)
    assert says in check.detail


@dataclass(frozen=True)
class FakeRunner:
    """Give one answer to every command."""

    stdout: bytes

    async def run(self, command: Command) -> Completed:
        return Completed(0, self.stdout, b"")


@pytest.mark.parametrize(
    ("stdout", "outcome"),
    [
        (b"git version 2.39.5\n", "ok"),
        (b"git version 2.32.0\n", "ok"),
        (b"git version 2.31.8\n", "fail"),
        (b"", "fail"),
        (b"git version x", "fail"),
    ],
)
async def test_git_must_be_new_enough(stdout: bytes, outcome: str):
    """The version comes from git itself."""
    assert [check.outcome for check in await tools.git(FakeRunner(stdout), lambda _: "/bin/git")] == [outcome]
    assert [check.outcome for check in await tools.git(FakeRunner(stdout), lambda _: None)] == ["fail"]


@pytest.mark.parametrize(
    ("stdout", "outcomes"),
    [
        (b"network=closed\nfiles=closed\nprocesses=closed\n", ["ok", "ok", "ok"]),
        (b"network=closed\nfiles=open\nprocesses=closed\n", ["ok", "warn", "ok"]),
        (b"network=open\nfiles=open\n", ["warn", "warn", "warn"]),
        (b"", ["warn", "warn", "warn"]),
        (b"\xff=\nnetwork==closed\n", ["warn", "warn", "warn"]),
    ],
)
async def test_isolation_is_what_a_tool_achieves(stdout: bytes, outcomes: list[str]):
    """What a program did not fail at, or did not get to, is not said to hold."""
    checks = await isolation(FakeRunner(stdout))
    assert [check.name for check in checks] == ["scanner network", "scanner files", "scanner processes"]
    assert [check.outcome for check in checks] == outcomes


@dataclass(frozen=True)
class FakeScanner:
    """Scan or not."""

    report: ScanReport
    name: str = "fake"
    everywhere: bool = False
    history: bool = False

    def wants(self, path: str) -> bool:
        return True

    async def scan(self, sources, runner):  # noqa: ANN001
        return self.report


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        (ScanReport(scanner="fake", analysed=("canary.py",)), "ok"),
        (ScanReport(scanner="fake", not_analysed={"canary.py": "broken"}), "fail"),
        (ScanReport(scanner="fake"), "fail"),
    ],
)
async def test_a_scanner_must_scan(report: ScanReport, outcome: str):
    """Silence is not success."""
    assert [check.outcome for check in await tools.scanner(FakeScanner(report), FakeRunner(b""))] == [outcome]


async def test_a_check_that_breaks_or_hangs_is_a_failure_with_a_remedy():
    """The doctor itself always ends."""

    async def broken() -> list[Check]:
        raise Permanent("it is broken")

    async def hanging() -> list[Check]:
        await asyncio.sleep(60)
        return []

    async def fine() -> list[Check]:
        return [ok("x", "fine")]

    assert await guarded("x", broken(), remedy="mend it") == [
        Check("x", Outcome.fail, "it is broken", "mend it")
    ]
    assert await guarded("x", hanging(), remedy="wake it", limit_s=0.01) == [
        Check("x", Outcome.fail, "no answer within 0.01 s", "wake it")
    ]
    assert await guarded("x", fine(), remedy="") == [ok("x", "fine")]


@given(st.tuples(*[st.integers(0, 999)] * 3), st.sampled_from(["", "-ee", "-pre", ".7", "-rc.1"]))
def test_versions_are_read_whatever_follows(numbers: tuple[int, int, int], suffix: str):
    """Editions and candidates do not matter."""
    assert version_of(".".join(map(str, numbers)) + suffix) == numbers


def test_short_versions_are_filled_up():
    """Missing numbers are zeros, and something else is no version."""
    assert [version_of("v0.17"), version_of("19")] == [(0, 17, 0), (19, 0, 0)]
    with pytest.raises(ValueError, match="is not a version"):
        version_of("latest")
