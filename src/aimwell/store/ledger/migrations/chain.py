"""A chain of revisions that leads from an empty database to today's tables, and where a database stands on it.

Each revision is a file with `revision`, `down_revision`, `upgrade()` and `downgrade()` in Alembic's words. A database
notes its revision in a table of its own. Looking it up needs no Alembic: a ledger that is up to date opens quickly.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select

from aimwell.core.errors import Unavailable
from aimwell.store.ledger.schema import EVENTS, STATE

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

_FOLDER = Path(__file__).parent
_one_at_a_time = threading.Lock()  # what revisions call as `op` is one object for the whole process


@dataclass(frozen=True)
class Chain:
    """The revisions of one set of tables; `folders` after the first may hold further ones."""

    name: str
    tables: MetaData
    folders: tuple[Path, ...]

    @property
    def version_table(self) -> str:
        """Where a database notes at which revision it stands."""
        return f"ledger_{self.name}_version"

    @cached_property
    def head(self) -> str:
        """The newest revision: the one of the last file (`v0001_…`, `v0002_…`)."""
        newest = max((path for folder in self.folders for path in folder.glob("v*.py")), key=lambda path: path.stem)
        found: list[str] = re.findall(r'^revision = "(.+)"$', newest.read_text(encoding="utf-8"), re.MULTILINE)
        return found[0]

    def standing(self, connection: Connection) -> str | None:
        """The revision at which a database stands; None if it has none of these tables."""
        there = set(inspect(connection).get_table_names())
        if self.version_table in there:
            found = connection.execute(select(self._noted.c.version_num)).scalar()
            if found is not None:
                return str(found)
        if there & set(self.tables.tables):
            raise Unavailable(
                f"The ledger has tables of {self.name} but does not say of which version",
                remedy="It was made by an unreleased Aimwell: move it away and begin a new one.",
            )
        return None

    def check(self, standing: str) -> None:
        """Raises Unavailable for a revision that this code does not know: a newer one, or one between releases."""
        if standing in self._known:
            return
        newer = standing[:4] > self.head[:4]
        raise Unavailable(
            f"The ledger's {self.name} were written by {'a newer' if newer else 'an unreleased'} Aimwell",
            expected=f"version {self.head} or an older one",
            seen=f"version {standing}",
            remedy="Upgrade Aimwell." if newer else "Move the ledger away and begin a new one.",
        )

    def create(self, connection: Connection) -> None:
        """Today's tables in an empty database, noted as the newest revision: equal to running all of them."""
        self.tables.create_all(connection, checkfirst=False)
        self._noted.create(connection, checkfirst=True)
        connection.execute(insert(self._noted).values(version_num=self.head))

    def upgrade(self, connection: Connection, to: str = "head") -> None:
        """Run what lies between where a database stands and a revision, in the caller's transaction."""
        from alembic.operations import Operations

        with _one_at_a_time:
            context, script = self._context(connection), self._script
            standing = context.get_current_revision() or "base"
            for step in reversed(list(script.iterate_revisions(to, standing))):
                with Operations.context(context):
                    step.module.upgrade()
                context.stamp(script, step.revision)

    def downgrade(self, connection: Connection, to: str) -> None:
        """Take revisions back, down to one or to `base`, in the caller's transaction."""
        from alembic.operations import Operations

        with _one_at_a_time:
            context, script = self._context(connection), self._script
            standing = context.get_current_revision() or "base"
            for step in list(script.iterate_revisions(standing, to)):
                with Operations.context(context):
                    step.module.downgrade()
                context.stamp(script, str(step.down_revision or "base"))

    @cached_property
    def _noted(self) -> Table:
        """As Alembic itself would make it."""
        number = Column("version_num", String(32), nullable=False)
        named = PrimaryKeyConstraint("version_num", name=f"{self.version_table}_pkc")
        return Table(self.version_table, MetaData(), number, named)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(step.revision for step in self._script.walk_revisions())

    @cached_property
    def _script(self) -> ScriptDirectory:
        from alembic.script import ScriptDirectory

        return ScriptDirectory(str(self.folders[0]), version_locations=[str(folder) for folder in self.folders])

    def _context(self, connection: Connection) -> MigrationContext:
        from alembic.runtime.migration import MigrationContext

        return MigrationContext.configure(connection, opts={"version_table": self.version_table})


STATE_CHAIN = Chain("state", STATE, (_FOLDER / "state",))
EVENTS_CHAIN = Chain("events", EVENTS, (_FOLDER / "events",))
