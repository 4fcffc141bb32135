"""The second detector: part of the first one's findings, and never on the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.scanners.secret_detector import Detector
from bot.scanners.secret_kingfisher import Kingfisher
from bot.scanners.secret_rules import load_rules

RULES = load_rules(Path(__file__).parents[3] / "rules" / "secrets")
#: A token of a kind that the rules of this test know as well as the second detector.
TOKEN = b"glpat-" + b"aB3dE5gH7jK9mN1pQ3sT"

ALONE = """
import sys
from pathlib import Path
events = []
sys.addaudithook(lambda name, args: events.append(name) if name.startswith(("socket.", "subprocess.")) else None)
from bot.scanners.secret_kingfisher import Kingfisher
found = Kingfisher(Path(sys.argv[1]), b"key").find(sys.stdin.buffer.read())
modules = [name for name in sys.modules if "kingfisher_sdk" in name]
sockets = list(Path("/proc/self/fd").iterdir())
open_sockets = [one for one in sockets if one.is_symlink() and str(one.readlink()).startswith("socket:")]
print([rule.settings.id for rule, *_ in found], events, modules, len(open_sockets))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kingfisher") / "rules"


def test_no_validator_is_imported_and_no_socket_opened(cache: Path):
    """A scan finds the token, and neither the package's validators nor a connection come into being."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(cache)],
        input=b"token = '" + TOKEN + b"'\n",
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip().endswith("[] [] 0")
    assert "kingfisher-" in done.stdout.decode()
    assert cache.stat().st_mode & 0o777 == 0o700


def test_what_both_find_counts_once(cache: Path):
    """One secret is one finding, with the rule of our own where there is one, and the same mark."""
    text = b"token = '" + TOKEN + b"'\n"
    second = Kingfisher(cache, b"key")
    ((_, start, end, mark),) = second.find(text)
    (hit,) = Detector(RULES, b"key", second).find(text).hits
    assert hit.rule.settings.id == "gitlab-personal-access-token"
    assert (text[start:end], mark) == (TOKEN, hit.subject)
    (alone,) = Detector([rule for rule in RULES if rule.settings.id == "jwt"], b"key", second).find(text).hits
    assert alone.rule.settings.id.startswith("kingfisher-")


def test_without_it_the_first_detector_works(tmp_path: Path):
    """What keeps it from loading is told, and everything else goes on."""
    (tmp_path / "file").touch()
    second = Kingfisher(tmp_path / "file" / "rules", b"key")
    text = b"token = '" + TOKEN + b"'\n"
    assert len(Detector(RULES, b"key", second).find(text).hits) == 1
    assert second.problem.startswith("Kingfisher cannot be used: ")


def test_placeholders_are_not_reported(cache: Path):
    """An example is none for the second detector either."""
    assert Kingfisher(cache, b"key").find(b"postgres://user:xxxxxxxxxxxx@db/app\n") == []
