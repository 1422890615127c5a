"""Prints the snapshot that a node's own site files make, as JSON (`python -m callcenter.line.site_files [CONFIG]`)."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from callcenter.config import load_settings
from callcenter.domain.snapshot import Snapshot, to_json
from callcenter.errors import CallCenterError
from callcenter.site.load import load_sites


def main() -> None:
    """Entry point of the child. Exit status 1 when the files cannot be used; standard error says why."""
    at = datetime.now(UTC)
    try:
        settings = load_settings(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
        sites = load_sites(settings.sites_dir, settings.rules, at)
    except (CallCenterError, OSError) as error:
        print(f"the site's files cannot be used: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    snapshot = Snapshot(0, at, {name: site.snapshot(at) for name, site in sites.items()})
    sys.stdout.buffer.write(to_json(snapshot))


if __name__ == "__main__":
    main()
