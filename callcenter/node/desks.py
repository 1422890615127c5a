"""Where the desks are and how to reach them safely: addresses, the pinned certificate, uploads of recordings."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from callcenter.config import Settings
from callcenter.errors import StoreError

UPLOAD_TIMEOUT_S = 30
"""A desk that is silent for this long while it takes a recording is given up."""


@dataclass(frozen=True)
class DeskAddress:
    """One desk, `https://host:port` (http only with desk.tls = off on this machine)."""

    host: str
    port: int
    tls: bool

    @property
    def link(self) -> str:
        """Address of the link's WebSocket."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'wss' if self.tls else 'ws'}://{host}:{self.port}/line/v1"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def desk_addresses(settings: Settings) -> list[DeskAddress]:
    """The desks of `node.desks`, else the desk of this node as it wrote itself down. May be empty while it starts.

    Raises StoreError for an address that is none.
    """
    found = [_parse(address) for address in settings.node.desks]
    if found:
        return found
    try:
        port = int(json.loads((settings.run_dir / "desk.json").read_text())["ports"]["https"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    host = str(settings.desk.bind_host)
    return [DeskAddress("127.0.0.1" if host == "0.0.0.0" else host, port, settings.desk.tls != "off")]  # noqa: S104


def _parse(address: str) -> DeskAddress:
    parts = urlsplit(address if "//" in address else f"https://{address}")
    try:
        port = parts.port or 8443
    except ValueError:
        port = 0
    if parts.scheme not in {"https", "http"} or not parts.hostname or not port:
        raise StoreError(
            "node.bad_desk", f"not the address of a desk: {address!r}", where="node.desks",
            mend='write it as "https://host:8443"',
        )  # fmt: skip
    return DeskAddress(parts.hostname, port, parts.scheme == "https")


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Trust the certificate pinned in `var/secrets/tls.crt` and no other; without one, the system's authorities."""
    pinned = settings.var_dir / "secrets" / "tls.crt"
    if not pinned.exists():
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=str(pinned))
    context.check_hostname = False  # the certificate itself is the proof, whatever the desk's address
    return context


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def upload(
    desk: DeskAddress, context: ssl.SSLContext, secret: str, call: UUID, path: Path, sha256: str | None = None
) -> None:
    """Hand a recording to a desk and return when it has it. Blocks: run it in a thread.

    Raises StoreError, retryable when the desk is away or does not know the call yet.
    """
    connection: http.client.HTTPConnection
    if desk.tls:
        connection = http.client.HTTPSConnection(desk.host, desk.port, timeout=UPLOAD_TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(desk.host, desk.port, timeout=UPLOAD_TIMEOUT_S)
    try:
        headers = {
            "Authorization": f"Bearer {secret}",
            "X-SHA256": sha256 or file_sha256(path),
            "Content-Type": "audio/flac",
            "Content-Length": str(path.stat().st_size),
        }
        connection.request("PUT", f"/line/v1/recordings/{call}", body=_blocks(path), headers=headers)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        raise StoreError("upload.away", f"the desk cannot be reached: {error}", retryable=True) from error
    finally:
        connection.close()
    if response.status not in {200, 201}:
        raise StoreError(
            "upload.refused", f"the desk refused a recording with status {response.status}",
            retryable=response.status not in {400, 401, 403, 413}, where=str(path),
            mend="check node.secret on both sides" if response.status in {401, 403} else "see the desk's log",
        )  # fmt: skip


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(256 * 1024):
            yield block
