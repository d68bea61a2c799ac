"""Which models are published, and how: from dbt's manifest to what publish/ is handed. No publishing here."""

from typing import Any

from dagster_project.publish.relations import PublishedTable, Rebuilt
from dagster_project.transform.dbt import manifest


def published_tables() -> list[PublishedTable]:
    """The models that BI gets to see: those whose meta says how they are published, in order of their names."""
    found = []
    for node in manifest()["nodes"].values():
        publish = node.get("config", {}).get("meta", {}).get("publish")
        if node["resource_type"] == "model" and publish:
            found.append(
                PublishedTable(
                    name=node["name"],
                    key=tuple(publish["key"]),
                    month_column=publish.get("month_column"),
                    with_status=bool(publish.get("with_status", False)),
                    rebuilt=_rebuilt(publish.get("rebuilt")),
                    indexes=tuple(publish.get("indexes", ())),
                    history=tuple(publish.get("history", ())),
                    revised=tuple(publish.get("revised", ())),
                    is_private=bool(publish.get("private", False)),
                )
            )
    return sorted(found, key=lambda table: table.name)


def _rebuilt(rebuilt: dict[str, Any] | None) -> Rebuilt | None:
    return None if rebuilt is None else Rebuilt(rebuilt["keys"], tuple(rebuilt["match"].items()))
