"""What a collection point must reach before it may close: from the settings to the table that the models read."""

from decimal import Decimal

from psycopg2.extensions import connection as Connection

from dagster_project.settings import Settings


def load_closure_gate(conn: Connection, settings: Settings) -> str:
    """Brings reference.closure_gate up to date and commits; returns what the figures depend on, as a text."""
    thresholds = (
        settings.closure_min_cashless_rate,
        settings.closure_min_notification_coverage,
        settings.closure_min_phone_verified_rate,
        settings.closure_max_feedback_open,
    )
    with conn, conn.cursor() as cursor:
        cursor.execute(
            "insert into reference.closure_gate"
            " (cashless_rate, notification_coverage, phone_verified_rate, feedback_open) values (%s, %s, %s, %s)"
            " on conflict (is_only_row) do update set cashless_rate = excluded.cashless_rate,"
            " notification_coverage = excluded.notification_coverage,"
            " phone_verified_rate = excluded.phone_verified_rate, feedback_open = excluded.feedback_open"
            " where closure_gate is distinct from excluded",
            thresholds,
        )
    return " ".join(str(value.normalize() if isinstance(value, Decimal) else value) for value in thresholds)
