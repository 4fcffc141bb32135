"""Advisories about invented packages, as OSV writes them, and imports of them."""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.adapters.advisory_import import Imported, import_advisories


def affected(ecosystem: str, name: str, *events: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return one entry of ``affected``; *events* are pairs such as ("fixed", "1.2")."""
    ranges = (
        [{"type": "ECOSYSTEM", "events": [{kind: version} for kind, version in events]}] if events else []
    )
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, **more}


def osv(identity: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a record that affects *entries*."""
    return {
        "schema_version": "1.6.0",
        "id": identity,
        "modified": "2031-05-01T00:00:00Z",
        "summary": f"Summary of {identity}",
        "affected": list(entries),
        **more,
    }


def until(identity: str, ecosystem: str, name: str, fixed: str, **more: Any) -> dict[str, Any]:
    """Return a record that affects all versions before *fixed*."""
    return osv(identity, affected(ecosystem, name, ("introduced", "0"), ("fixed", fixed)), **more)


def archive(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Write an archive as OSV offers one for each ecosystem."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for record in records:
            file.writestr(f"{record['id']}.json", json.dumps(record))
    return path


def imported(directory: Path, *records: dict[str, Any]) -> Imported:
    """Import *records* into *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    return import_advisories([archive(directory / "all.zip", records)], directory)
