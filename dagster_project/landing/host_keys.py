"""Whether an sftp server is the one it says it is. Needs the extra `sftp`; nothing else of sftp is here."""

from __future__ import annotations

from pathlib import Path

import paramiko  # type: ignore[import-untyped]


class KnownHosts(paramiko.MissingHostKeyPolicy):
    """Holds a server to the key in ~/.ssh/known_hosts, if it has one there; a host nobody knows is taken at its word.

    fsspec alone would take every key of every host.
    """

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Called by paramiko, which has loaded no known hosts itself; raising ends the connection."""
        del client
        path = Path("~/.ssh/known_hosts").expanduser()
        known = paramiko.HostKeys(str(path)).lookup(hostname) if path.is_file() else None
        if known and not any(entry.asbytes() == key.asbytes() for entry in known.values()):
            raise paramiko.SSHException(
                f"the server's key is not the one that {path} has for {hostname}: ask its administrator"
            )
