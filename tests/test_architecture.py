"""The walls of the house: which room may import which (docs/architecture.md)."""

import ast

from dagster_project.transform.dbt import REPOSITORY

PACKAGE = REPOSITORY / "dagster_project"
MAY_IMPORT = {
    "settings": {"errors"},
    "warehouse": {"errors", "settings"},
    "contracts": {"errors"},
    "landing": {"contracts", "settings", "warehouse"},
    "raw": {"contracts", "errors", "landing", "settings", "warehouse"},
    "reference": {"contracts", "errors", "landing", "raw", "settings"},
    "pull": {"contracts", "errors", "landing", "settings", "warehouse"},
    "transform": {"contracts", "raw", "errors", "settings"},
    "audit": {"errors"},
    "publish": {"errors", "settings", "warehouse"},
    "alert": {"errors", "landing", "publish", "pull", "settings", "warehouse"},
    "report": {"alert", "errors", "landing", "publish", "pull", "raw", "settings", "warehouse"},
    "sample": set(),
    "orchestration": {
        "alert", "audit", "contracts", "errors", "landing", "publish", "pull", "raw", "reference", "settings",
        "transform", "warehouse",
    },
}  # fmt: skip
MAY_READ_THE_ENVIRONMENT = {
    "settings.py",
    "cli/database.py",
    "transform/dbt.py",
    "audit/gate.py",
    "pull/database.py",  # the variables that pulls name
}
# What is committed, drawn when Dagster imports the assets, or asks what the shipped contracts say at least.
MAY_ASK_FOR_THE_SHIPPED_CONTRACTS = {
    "contracts/lint.py",
    "contracts/page.py",
    "orchestration/assets.py",
    "orchestration/job.py",
    "pull/declared.py",
    "raw/follow.py",
    "raw/quarantine_reading.py",
    "raw/tables.py",
    "reference/overlay.py",
    "transform/raw_sources.py",
}


def _imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("dagster_project.")}
    return found


def test_every_room_imports_only_what_it_may() -> None:
    for room, allowed in MAY_IMPORT.items():
        files = (
            [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else (PACKAGE / room).rglob("*.py")
        )
        for file in files:
            wrong = _imports(file.read_text(encoding="utf-8")) - allowed - {room}
            assert not wrong, f"{file.relative_to(REPOSITORY)} imports {wrong}"


def test_every_room_is_listed() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(MAY_IMPORT) - {"settings"} | {"cli"}  # the door leads everywhere


def test_every_module_says_first_what_belongs_there() -> None:
    for file in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file.relative_to(REPOSITORY)


def test_only_settings_read_cashless_variables() -> None:
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        if name not in MAY_READ_THE_ENVIRONMENT and not name.startswith("warehouse/"):
            assert "os.environ" not in file.read_text(encoding="utf-8"), name


def test_nobody_else_overlooks_the_contracts_of_the_operator() -> None:
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        calls = [
            node
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        overlooked = any(call.func.id == "contracts" and not call.args for call in calls)  # type: ignore[attr-defined]
        assert not overlooked or name in MAY_ASK_FOR_THE_SHIPPED_CONTRACTS, name
        made = any(call.func.id == "ensure_tables" and len(call.args) < 2 for call in calls)  # type: ignore[attr-defined]
        assert not made, name
