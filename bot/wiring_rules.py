"""Put rules together: settings -> where they are kept -> scanners that follow them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bot.adapters.process import ProcessRunner
from bot.adapters.rules_directory import DirectoryRules
from bot.adapters.rules_git import GitRules
from bot.ports import RuleSource, Runner, Store
from bot.resources import resource
from bot.runtime.rulebook import Rulebook
from bot.scanners import Setup, load
from bot.scanners.secrets import redactor_of
from bot.settings import Settings
from bot.settings_rules import rule_places


def scanner_setup(settings: Settings, packs: Sequence[Path], key: bytes) -> Setup:
    """Return what scanners are built from: the shipped rules and those in *packs*, and imported advisories."""
    return Setup(
        rules=resource("rules"),
        key=key,
        packs=tuple(packs),
        advisories=settings.advisories,
        kingfisher=settings.data_dir / "kingfisher" if settings.kingfisher else None,
    )


def rulebook(settings: Settings, key: bytes, runner: Runner) -> Rulebook:
    """Return the scanners, not yet open, with the shipped rules and those of the organisation."""
    return Rulebook(lambda packs: load(scanner_setup(settings, packs, key)), rule_sources(settings), runner)


def masking(rules: Rulebook, *, examples: bool = False) -> Callable[[str], str]:
    """Return what masks secrets, and *examples* of them, in a text, by the rules as they are then."""
    return lambda text: redactor_of(rules).redact(text, examples=examples).text


def redaction_of(settings: Settings, store: Store) -> Callable[[], Awaitable[Callable[[str], str]]]:
    """Return what returns what masks secrets; the rules are read when it is first asked, which takes seconds."""
    lock, opened = asyncio.Lock(), list[Rulebook]()

    async def redaction() -> Callable[[str], str]:
        async with lock:
            if not opened:
                rules = rulebook(settings, await store.secret("fingerprints"), ProcessRunner())
                await rules.open()
                # The first text has them compiled.
                await asyncio.to_thread(masking(rules), "")
                opened.append(rules)
        return masking(opened[0])

    return redaction


def rule_sources(settings: Settings) -> list[RuleSource]:
    """Return where the organisation keeps rules; the token is for repositories on our GitLab only."""
    gitlab = urlsplit(str(settings.gitlab_url))[:2] if settings.gitlab_url else None
    sources: list[RuleSource] = []
    for place in rule_places(settings.rules_dirs or ""):
        if isinstance(place, Path):
            sources.append(DirectoryRules(place))
            continue
        ours = urlsplit(place.url)[:2] == gitlab
        sources.append(
            GitRules(
                settings.data_dir / "rules",
                place.url,
                place.ref,
                token=settings.gitlab_token.get_secret_value() if ours and settings.gitlab_token else "",
                ca_file=settings.gitlab_ca_file if ours else None,
            )
        )
    return sources
