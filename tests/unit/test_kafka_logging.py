"""What the client library for Kafka says becomes our own log lines."""

import logging
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from bot.adapters.kafka_logging import forward_client_logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the library's logger as it was."""
    logger = logging.getLogger("aiokafka")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def test_a_line_is_told_once_in_a_while(capfd: pytest.CaptureFixture[str]):
    """A broker that is away is one warning, not ten a second; requests, which may hold a password, are none."""
    moment = [0.0]
    forward_client_logs(clock=lambda: moment[-1])
    library = logging.getLogger("aiokafka.conn")

    with capture_logs() as lines:
        for at in (0.0, 1.0, 29.0, 31.0):
            moment.append(at)
            library.error('Unable connect to "%s"', f"kafka-{at:.0f}")
        library.debug("Request %s", "hunter2")
        library.warning("Another")

    assert ['Unable connect to "kafka-0"', 'Unable connect to "kafka-31"', "Another"] == [
        line["message"] for line in lines
    ]
    assert {("kafka.client", "warning", "aiokafka.conn")} == {
        (line["event"], line["log_level"], line["part"]) for line in lines
    }
    assert ("", "") == capfd.readouterr()
