"""Every metric, declared once with kind, unit and meaning.

Names are as declared to OpenTelemetry; Prometheus sees ``_seconds`` and ``_total`` added by its conventions.
Labels have few values: stages, scanners, outcomes. Never a merge request, a path or a commit.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """Declare one metric."""

    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    meaning: str


METRICS: dict[str, Metric] = {
    "cloister_webhooks": Metric("counter", "1", "webhook deliveries by result"),
    "cloister_webhook_duration": Metric("histogram", "s", "time from request to answer by result"),
    "cloister_events_handled": Metric("counter", "1", "events by stage and result"),
    "cloister_stage_duration": Metric("histogram", "s", "time to handle one event by stage"),
    "cloister_in_flight": Metric("gauge", "1", "events being handled by stage"),
    "cloister_tracked": Metric("gauge", "1", "events taken from the log and not committed by stage"),
    "cloister_oldest_age": Metric("gauge", "s", "time since the oldest unfinished event was taken, by stage"),
    "cloister_lag": Metric("gauge", "1", "events that wait in the partitions of this process by stage"),
    "cloister_dead_letters": Metric("counter", "1", "events given up by stage"),
    "cloister_retries": Metric("counter", "1", "failed tries that are repeated by stage"),
    "cloister_relayed": Metric("counter", "1", "events shipped from the outbox to Kafka"),
    "cloister_relay_waiting": Metric("gauge", "1", "events in hand that Kafka does not take at the moment"),
    "cloister_push_to_publish": Metric("histogram", "s", "time from a run's start to its publication"),
    "cloister_findings": Metric("counter", "1", "findings by scanner and severity"),
    "cloister_fixes": Metric("counter", "1", "fixes checked by outcome: `verified` or `refused`"),
    "cloister_commands": Metric(
        "counter", "1", "commands in comments by command, and whether they were done"
    ),
    "cloister_comments": Metric("counter", "1", "what publishing did by action"),
    "cloister_withheld": Metric(
        "counter", "1", "findings not said because people rejected the like, by cause"
    ),
    "cloister_mutes": Metric("counter", "1", "rules and categories that figures muted, by scope"),
    "cloister_model_tokens": Metric("counter", "1", "tokens by direction"),
    "cloister_model_answers": Metric(
        "counter", "1", "model answers by outcome and task; `cached` ones cost nothing"
    ),
    "cloister_model_rejections": Metric(
        "counter", "1", "what the model said and nobody was shown, by reason"
    ),
    "cloister_reconciled": Metric("counter", "1", "merge requests found by listing, whose event never came"),
    "cloister_runs": Metric("counter", "1", "review runs by how they ended"),
    "cloister_signals": Metric("counter", "1", "what people did with comments, by kind and source"),
    "cloister_signals_dropped": Metric("counter", "1", "reactions and commands that are not kept, by reason"),
    "cloister_rows_dropped": Metric("counter", "1", "rows that went because of their age, by table"),
    "cloister_feedback_looks": Metric(
        "counter", "1", "looks at merge requests for what people did, by result: `done` or `failed`"
    ),
    "cloister_unit_tests": Metric("counter", "1", "files of unit tests by verdict of the sandbox"),
}
