"""Gives every customer code its keyed pseudonym, once. What joins on customer_key is in dbt_models."""

import hashlib
import hmac
import io

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.catalog import contracts
from dagster_project.errors import CashlessError
from dagster_project.settings import Settings
from dagster_project.transform.window import EVERYTHING


class CustomerKeyError(CashlessError):
    """The secret is not the one that the warehouse's pseudonyms were made with."""


def customer_key(secret: str, customer_code: str) -> int:
    """The pseudonym: the first 8 bytes of HMAC-SHA-256 as a signed integer (bigint)."""
    digest = hmac.digest(secret.encode(), customer_code.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big", signed=True)


def assign_customer_keys(conn: Connection, settings: Settings) -> int:
    """Adds the codes that have no key yet, of the rows that came since it was last asked; returns how many. Commits.

    Raises CustomerKeyError when the secret differs from the one used before: new keys for old customers
    would silently cut every customer's history in two.
    """
    secret = settings.customer_key()
    known = contracts(settings.overlay_folder())
    with conn, conn.cursor() as cursor:
        known_through = _check_secret(cursor, secret)
        cursor.execute(
            "select coalesce(max(change_id), 0), array_agg(distinct source::text) from landing.change"
            " where change_id > %s",
            (known_through,),
        )
        through, sources = cursor.fetchone() or (0, None)
        if known_through == EVERYTHING:
            sources = list(known)
        # The customers' own rows first: then hardly a code of the other sources, which have many rows, is new.
        coded = sorted(
            (name for name in sources or [] if "customer_code" in known[name].names),
            key=lambda name: ("customer_code" not in known[name].key, name),
        )
        added = sum(_give_keys(cursor, secret, name, known_through) for name in coded)
        cursor.execute(
            "update bi_private.customer_key_secret set changes_through = %(through)s"
            " where changes_through < %(through)s",
            {"through": through},
        )
    return added


def _give_keys(cursor: Cursor, secret: str, source: str, changes_after: int) -> int:
    """Adds the codes of one source that have no key yet."""
    cursor.execute(
        f"select distinct customer_code from raw.{source} as seen where change_id > %(changes_after)s"
        " and customer_code is not null and not exists"
        " (select from bi_private.customer_key as known where known.customer_code = seen.customer_code)",
        {"changes_after": changes_after},
    )
    codes = [code for (code,) in cursor.fetchall()]
    if codes:
        rows = io.StringIO("".join(f"{_escaped(code)}\t{customer_key(secret, code)}\n" for code in codes))
        cursor.copy_expert("copy bi_private.customer_key (customer_code, customer_key) from stdin", rows)
        cursor.execute("analyze bi_private.customer_key")
    return len(codes)


def _check_secret(cursor: Cursor, secret: str) -> int:
    """Raises if the secret is another one; the last change that has all its keys."""
    fingerprint = hmac.digest(secret.encode(), b"cashless customer_key", hashlib.sha256).hex()
    cursor.execute(
        "insert into bi_private.customer_key_secret (fingerprint) values (%s) on conflict do nothing",
        (fingerprint,),
    )
    cursor.execute("select fingerprint, changes_through from bi_private.customer_key_secret")
    row = cursor.fetchone()
    assert row is not None
    if row[0] != fingerprint:
        raise CustomerKeyError(
            "The customer key secret is not the one this warehouse was built with: set "
            "CASHLESS_CUSTOMER_KEY_SECRET (or <CASHLESS_HOME>/customer_key.secret) to that one."
        )
    return int(row[1])


def _escaped(code: str) -> str:
    """A text for COPY's text format."""
    return code.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
