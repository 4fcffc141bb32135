"""What the policy says about noise: what is not said because people here did not want to hear the like."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from bot.domain.policy_sections import Section


class Noise(Section):
    """What is withheld because people did not want to hear the like; the gate counts it all the same."""

    auto_mute: bool = Field(
        default=True,
        description="rules and categories that people hardly ever accept say nothing for a while, but for critical"
        " findings, secrets and what blocks",
    )
    veto: bool = Field(
        default=True,
        description="comments of the model that are like three that three people rejected are only listed",
    )
    threshold: int = Field(
        default=25,
        ge=1,
        le=90,
        description="percentage of accepted comments below which, chance excluded, a rule or category is muted",
    )
    exploration: int = Field(
        default=5,
        ge=0,
        le=50,
        description="percentage of findings of such a rule that are said nevertheless, to measure it anew",
    )
    mute_days: int = Field(default=30, ge=1, le=365, description="days after which such a mute ends")

    @property
    def wanted(self) -> float:
        """Return the threshold as a share."""
        return self.threshold / 100

    @property
    def explored(self) -> float:
        """Return the exploration as a share."""
        return self.exploration / 100

    @property
    def lasts(self) -> timedelta:
        """Return for how long a mute holds that the figures make."""
        return timedelta(days=self.mute_days)
