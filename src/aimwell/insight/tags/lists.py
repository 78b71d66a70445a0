"""Lists by hand as rows with a period: from the definition itself, or from a CSV file of the workspace."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from aimwell.core.problems import Problem
from aimwell.insight.features.basis import digest
from aimwell.insight.tags.definition import Listing

_COLUMNS = ("id", "value", "since", "until")


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list: half-open period of local days, and a value where the list gives one."""

    id: str
    value: str | None
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class ManualList:
    """All entries of one list, sorted by id and first day."""

    entries: tuple[Listed, ...]

    @property
    def mark(self) -> str:
        """What the list says, in few letters."""
        return digest(f"{each.id}\t{each.value}\t{each.since}\t{each.until}" for each in self.entries)

    @property
    def table(self) -> pa.Table:
        """Rows of `listed_id`, `value`, `since` and `until`."""
        return pa.table(
            {
                "listed_id": pa.array([each.id for each in self.entries], pa.string()),
                "value": pa.array([each.value for each in self.entries], pa.string()),
                "since": pa.array([each.since for each in self.entries], pa.date32()),
                "until": pa.array([each.until for each in self.entries], pa.date32()),
            }
        )


def read_list(listing: Listing, root: Path) -> tuple[ManualList, list[Problem]]:
    """The entries of a list, and what is wrong in its file: every row, with its line."""
    if listing.file is None:
        entries = [Listed(each, None, listing.since, listing.until) for each in listing.ids]
        return ManualList(_sorted(entries)), []
    path = root / listing.file
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"it cannot be read: {error}"
        return ManualList(()), [Problem(listing.file, None, "", reason, "Paths begin at the workspace's folder.")]
    problems: list[Problem] = []
    entries = list(_rows(text, listing, problems))
    return ManualList(_sorted(entries)), problems


def _sorted(entries: list[Listed]) -> tuple[Listed, ...]:
    return tuple(sorted(set(entries), key=lambda each: (each.id, each.since, each.until, each.value or "")))


def _rows(text: str, listing: Listing, problems: list[Problem]) -> Iterator[Listed]:
    file = listing.file or ""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = list(reader.fieldnames or [])
    if "id" not in names or set(names) - set(_COLUMNS):
        problems.append(
            Problem(file, 1, "", f"the columns are {', '.join(names) or 'none'}", "Write id, value, since, until.")
        )
        return
    for row in reader:
        line = reader.line_num
        who = (row.get("id") or "").strip()
        if not who:
            problems.append(Problem(file, line, "id", "the id is empty"))
            continue
        try:
            since = _day(row.get("since"), listing.since)
            until = _day(row.get("until"), listing.until)
        except ValueError as error:
            problems.append(Problem(file, line, "", str(error), "Write days as 2017-11-01."))
            continue
        yield Listed(who, (row.get("value") or "").strip() or None, since, until)


def _day(written: str | None, otherwise: date) -> date:
    text = (written or "").strip()
    if not text:
        return otherwise
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day") from None
