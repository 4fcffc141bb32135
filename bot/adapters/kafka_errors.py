"""Errors of the Kafka client as ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError

from bot.domain.errors import Blocked, Permanent, Transient


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except MessageSizeTooLargeError as error:
        raise Permanent("the record is larger than Kafka takes") from error
    except UnknownTopicOrPartitionError as error:
        raise Blocked("Kafka has no such topic: run `cloister kafka init`") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise Transient(f"Kafka is out of reach ({type(error).__name__})") from error
