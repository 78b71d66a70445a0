"""What a load did: a ledger of rows for each table that always adds up, and what is odd about the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from aimwell.core.text import Text
from aimwell.store.sources.rejects import Rejected


@dataclass(frozen=True, slots=True)
class Tally:
    """Where the rows went that one table was offered: read = kept + rejected + filtered + duplicates.

    duplicates: rows equal to another, or superseded by another of the same key (`superseded` counts those).
    replaced: rows of earlier loads that gave way; they are in no sum here.
    """

    read: int = 0
    kept: int = 0
    filtered: int = 0
    duplicates: int = 0
    superseded: int = 0
    replaced: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """All rejected rows."""
        return sum(self.rejected.values())

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for exactly once."""
        return self.read == self.kept + self.refused + self.filtered + self.duplicates


@dataclass(frozen=True, slots=True)
class TableReport:
    """What a load brought to one table from one source, with a few refused rows for each reason."""

    table: str
    tally: Tally
    samples: Mapping[str, tuple[Rejected, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a load read of one source: which files were new, changed, the same, gone (moved away; their rows stay) or
    removed (no longer meant by the source; their rows went), and what it did with them."""

    source: str
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    encodings: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    tables: tuple[TableReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something about a column that a person should look at; it stops nothing."""

    kind: str
    column: str
    rows: int
    share: float
    said: Text
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Orphans:
    """Values of a column that point to no row of another table."""

    column: str
    references: str
    rows: int
    values: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableQuality:
    """What one table looks like after the load."""

    table: str
    rows: int
    oddities: tuple[Oddity, ...] = ()
    orphans: tuple[Orphans, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The whole of a load.

    changed: whether any table has other rows than before.   undefined: sources that were loaded once and are defined no
    more; their rows stay until they are unloaded.
    """

    loaded_at: datetime
    version: str
    changed: bool
    sources: tuple[SourceReport, ...] = ()
    quality: tuple[TableQuality, ...] = ()
    undefined: tuple[str, ...] = ()

    @property
    def balanced(self) -> bool:
        """Whether every row that was read is accounted for."""
        return all(table.tally.balanced for source in self.sources for table in source.tables)

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2, default=str)
