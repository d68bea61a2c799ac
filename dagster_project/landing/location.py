"""Which place a landing location names: a folder, or an address. What can be done there is theirs."""

from __future__ import annotations

from dagster_project.landing.place import Folder, Place


def open_place(location: str) -> Place:
    """The place; WarehouseError if it does not exist or cannot be reached."""
    if "://" not in location and "::" not in location:
        return Folder(location)
    from dagster_project.landing.address import Address  # noqa: PLC0415 - fsspec is slow to import

    return Address(location)
