"""Gives every customer code its keyed pseudonym, once. What joins on customer_key is in dbt_models."""

import hashlib
import hmac
import io

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.model import contracts
from dagster_project.errors import CashlessError
from dagster_project.settings import Settings


class CustomerKeyError(CashlessError):
    """The secret is not the one that the warehouse's pseudonyms were made with."""


def customer_key(secret: str, customer_code: str) -> int:
    """The pseudonym: the first 8 bytes of HMAC-SHA-256 as a signed integer (bigint)."""
    digest = hmac.digest(secret.encode(), customer_code.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big", signed=True)


def assign_customer_keys(conn: Connection, settings: Settings, changes_after: int = -1) -> int:
    """Adds the codes that have no key yet, of rows newer than a change (landing.change); returns how many. Commits.

    Raises CustomerKeyError when the secret differs from the one used before: new keys for old customers
    would silently cut every customer's history in two.
    """
    secret = settings.customer_key()
    with conn, conn.cursor() as cursor:
        _check_secret(cursor, secret)
        sources = {name for name, contract in contracts().items() if "customer_code" in contract.names}
        if changes_after >= 0:
            cursor.execute("select source from landing.change where change_id > %s", (changes_after,))
            sources &= {source for (source,) in cursor.fetchall()}
        if not sources:
            return 0
        codes = " union ".join(
            f"select customer_code from raw.{name} where change_id > %(changes_after)s"
            for name in sorted(sources)
        )
        cursor.execute(
            f"select customer_code from ({codes}) as seen where customer_code is not null and not exists"
            " (select from bi_private.customer_key as known where known.customer_code = seen.customer_code)",
            {"changes_after": changes_after},
        )
        missing = [code for (code,) in cursor.fetchall()]
        if missing:
            rows = io.StringIO(
                "".join(f"{_escaped(code)}\t{customer_key(secret, code)}\n" for code in missing)
            )
            cursor.copy_expert("copy bi_private.customer_key (customer_code, customer_key) from stdin", rows)
            cursor.execute("analyze bi_private.customer_key")
    return len(missing)


def _check_secret(cursor: Cursor, secret: str) -> None:
    fingerprint = hmac.digest(secret.encode(), b"cashless customer_key", hashlib.sha256).hex()
    cursor.execute(
        "insert into bi_private.customer_key_secret (fingerprint) values (%s) on conflict do nothing",
        (fingerprint,),
    )
    cursor.execute("select fingerprint from bi_private.customer_key_secret")
    if cursor.fetchone() != (fingerprint,):
        raise CustomerKeyError(
            "The customer key secret is not the one this warehouse was built with: set "
            "CASHLESS_CUSTOMER_KEY_SECRET (or <CASHLESS_HOME>/customer_key.secret) to that one."
        )


def _escaped(code: str) -> str:
    """A text for COPY's text format."""
    return code.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
