"""What is decided for a group holds in every project below it, unless something else was decided there or nearer.

Groups are told by their paths, so a project that moves follows its new group from its next review on. A person's
decision comes before figures, and then what is nearer before what is farther: the project, its group, the group of
that.

Figures of a group are for rules that no project has enough comments on. Projects whose own figures suffice for a mute
have one, and say nothing about others; a single project that wants the rule keeps its group from being muted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.domain.policy import Noise
from bot.domain.quiet.muting import WANTED, Mute, Outcome, Override, Subject, acceptance, unwanted, wanted

#: From so many projects a group is more than the sum of two teams.
LEAST_PROJECTS: Final = 3
#: GitLab's own limit of a path is below this.
MOST_PATH: Final = 1_000

_PATH: Final = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,254}(?:/[a-z0-9_][a-z0-9_.-]{0,254}){0,20}")


def group_path(path: str) -> str:
    """Return the path of a group as it is compared, empty if *path* can be none; its case does not matter."""
    plain = path.strip().strip("/").lower()
    return plain if len(plain) <= MOST_PATH and _PATH.fullmatch(plain) else ""


def groups_above(path: str) -> tuple[str, ...]:
    """Return the groups in which a project or group lies, the nearest first; none where *path* is not known."""
    parts = path.strip("/").lower().split("/")
    return tuple("/".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold of a subject the newest mute that the figures made, and the newest decision of a person."""

    last: Mute | None = None
    override: Override | None = None


def effective(
    teams: Sequence[str], standing: Mapping[Subject, Standing], now: datetime
) -> dict[Subject, Standing]:
    """Return what stands for the first of *teams*, by its subjects.

    Args:
        teams: a project or group, and the groups above it, the nearest first.
        standing: what was decided for any of them.
        now: the time.
    """
    own = {replace(subject, team=teams[0]) for subject in standing if subject.team in teams}
    return {
        subject: _nearest([standing.get(replace(subject, team=team), Standing()) for team in teams], now)
        for subject in own
    }


def _nearest(levels: Sequence[Standing], now: datetime) -> Standing:
    """Return what *levels*, the nearest first, come to; where nothing holds, what ended last still begins the count."""
    overrides = [one.override for one in levels if one.override and one.override.at <= now]
    mutes = [one.last for one in levels if one.last]
    override = next((one for one in overrides if one.holds(now)), None)
    last = next((one for one in mutes if one.holds(now)), None)
    return Standing(
        last or max(mutes, key=lambda one: one.since, default=None),
        override or max(overrides, key=lambda one: one.at, default=None),
    )


def strictest(policies: Sequence[Noise]) -> Noise | None:
    """Return by what a group is measured, of the *policies* of its projects that want mutes by figures; None without any.

    It takes as low an acceptance, and lasts as short, as in any of them.
    """
    asked = [one for one in policies if one.auto_mute]
    if not asked:
        return None
    return Noise(threshold=min(one.threshold for one in asked), mute_days=min(one.mute_days for one in asked))


def pooled(
    outcomes: Mapping[int, Sequence[Outcome]], since: datetime | None, threshold: float = WANTED
) -> tuple[Outcome, ...]:
    """Return what counts for a group of the *outcomes* of its projects, nothing where they may not speak for it.

    Only projects count whose own figures decide nothing, and it takes `LEAST_PROJECTS` of them. None counts where the
    own figures of any project are good.

    Args:
        outcomes: of one subject, by project.
        since: when the count begins; what is good, or suffices alone, is told by all of *outcomes*.
        threshold: the share of accepted comments below which a subject is noise.
    """
    shares = {project: acceptance(of) for project, of in outcomes.items()}
    if any(wanted(share, threshold) for share in shares.values()):
        return ()
    counted = [
        [one for one in of if one.label.counts and (since is None or one.posted_at >= since)]
        for project, of in sorted(outcomes.items())
        if not unwanted(shares[project], threshold)
    ]
    contributed = [of for of in counted if of]
    if len(contributed) < LEAST_PROJECTS:
        return ()
    return tuple(one for of in contributed for one in of)
