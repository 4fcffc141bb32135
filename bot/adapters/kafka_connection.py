"""How to reach Kafka: addresses, encryption, login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Say where the brokers are and how to log in."""

    bootstrap: str

    def options(self) -> dict[str, Any]:
        """Return the connection arguments that every client of aiokafka takes."""
        return {"bootstrap_servers": self.bootstrap, "client_id": "cloister"}
