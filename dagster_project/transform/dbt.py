"""The dbt project as this package runs it: environment, manifest, running it. Dagster assets are in
orchestration/, the models in dbt_models.
"""

import hashlib
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dagster_project.errors import CashlessError

REPOSITORY = Path(__file__).parents[2]
PROJECT_DIR = REPOSITORY / "dbt_models"
SEEDS_DIR = REPOSITORY / "seeds"
MANIFEST = PROJECT_DIR / "target" / "manifest.json"
_STAMP = PROJECT_DIR / "target" / "manifest.of"

# A build makes every table anew: a seed or model of another shape needs no manual step.
BUILD_ARGS = ["build", "--full-refresh", "--exclude-resource-type", "unit_test"]


class TransformError(CashlessError):
    """dbt could not do its work; the message names the model and the reason."""


def environment(database_url: str) -> dict[str, str]:
    """The variables that dbt_models/profiles.yml reads, from a postgresql:// URL."""
    parts = urlsplit(database_url)
    query = parse_qs(parts.query)
    return {
        "CASHLESS_DBT_HOST": query["host"][0] if "host" in query else parts.hostname or "localhost",
        "CASHLESS_DBT_PORT": str(parts.port or 5432),
        "CASHLESS_DBT_USER": unquote(parts.username or os.environ.get("USER", "postgres")),
        "CASHLESS_DBT_PASSWORD": unquote(parts.password or ""),
        "CASHLESS_DBT_DBNAME": unquote(parts.path.lstrip("/")) or unquote(parts.username or "postgres"),
        "CASHLESS_DBT_SSLMODE": query.get("sslmode", ["prefer"])[0],
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def dbt_executable() -> str:
    """dbt of this very environment, whatever PATH says."""
    return str(Path(sys.executable).with_name("dbt"))


def run_dbt(database_url: str, args: list[str], target_path: Path) -> "subprocess.CompletedProcess[str]":
    """Runs dbt as a process against a warehouse; for tests and tools, runs go through Dagster."""
    return subprocess.run(
        [dbt_executable(), *args, "--profiles-dir", str(PROJECT_DIR), "--target-path", str(target_path),
         "--log-path", str(target_path)],
        cwd=PROJECT_DIR,
        env={**os.environ, **environment(database_url)},
        text=True,
        capture_output=True,
        check=False,
    )  # fmt: skip


def ensure_manifest() -> Path:
    """The project's manifest, parsed again if a model, macro or seed changed since. Needs no database."""
    fingerprint = project_fingerprint()
    if MANIFEST.exists() and _STAMP.exists() and _STAMP.read_text(encoding="ascii") == fingerprint:
        return MANIFEST
    done = run_dbt("postgresql://nobody@localhost/nothing", ["parse", "--quiet"], MANIFEST.parent)
    if done.returncode != 0:
        raise TransformError(f"dbt cannot parse dbt_models: {(done.stdout + done.stderr).strip()}")
    _STAMP.write_text(fingerprint, encoding="ascii")
    manifest.cache_clear()
    return MANIFEST


def project_fingerprint() -> str:
    """Changes with the content of any file of dbt_models or seeds."""
    digest = hashlib.sha256()
    generated = {"target", "logs", "dbt_packages"}
    files = [*PROJECT_DIR.rglob("*"), *SEEDS_DIR.rglob("*")]
    for path in sorted(files):
        inside = path.relative_to(REPOSITORY)
        if path.is_file() and (len(inside.parts) < 2 or inside.parts[1] not in generated):
            digest.update(str(inside).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@lru_cache(maxsize=1)
def manifest() -> dict[str, Any]:
    """The parsed manifest."""
    document: dict[str, Any] = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    return document
