"""The secret that nodes and desks share: from the settings, or made at first start (`var/secrets/node`, 0600)."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from callcenter.config import Settings
from callcenter.errors import StoreError
from callcenter.node.files import private_folder


def secret_folder(settings: Settings) -> Path:
    """`var/secrets`, mode 0700."""
    return private_folder(settings.var_dir / "secrets")


def node_secret(settings: Settings) -> str:
    """The nodes' secret. The first process to ask makes it; all others read the same one.

    Raises StoreError when the file cannot be read or is empty.
    """
    if settings.node.secret is not None:
        return settings.node.secret.get_secret_value()
    path = secret_folder(settings) / "node"
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)  # fails when another process was first; then its secret holds
        Path(name).unlink()
    try:
        path.chmod(0o600)
        secret = path.read_text().strip()
    except OSError as error:
        raise StoreError(
            "node.secret_unreadable", f"cannot read the nodes' secret: {error.strerror}", where=str(path),
            mend="give the file to the user the service runs as",
        ) from error  # fmt: skip
    if not secret:
        raise StoreError("node.secret_empty", "the nodes' secret is empty", where=str(path), mend="remove the file")
    return secret
