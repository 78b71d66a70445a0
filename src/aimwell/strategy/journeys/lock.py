"""`journeys.lock`: for each journey's file the version in the ledger on which it was based."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem

FILE = "journeys.lock"


@dataclass(frozen=True, slots=True)
class Base:
    """A version: its number, and the digest of what it says."""

    number: int
    digest: str


def read_lock(folder: Path) -> dict[str, Base]:
    """The versions on which the files of a workspace are based, by journey; empty where nothing was ever applied.

    Raises BadDefinition if the file cannot be read.
    """
    file = folder / FILE
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): Base(int(base["number"]), str(base["digest"])) for name, base in found.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        remedy = "take it back from version control, or remove it: the next plan shows what differs"
        raise BadDefinition([Problem(FILE, None, "", f"cannot be read: {error}", remedy)]) from error


def write_lock(folder: Path, lock: Mapping[str, Base]) -> None:
    """Write the versions down; equal ones give equal bytes, and a crash leaves the old file or the new one."""
    text = json.dumps({name: asdict(lock[name]) for name in sorted(lock)}, ensure_ascii=False, indent=2) + "\n"
    fresh = folder / f"{FILE}.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder / FILE)
