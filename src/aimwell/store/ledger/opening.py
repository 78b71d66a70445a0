"""Brings a ledger's tables to the version of this code when it is opened; nothing is written if they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, func, literal, select

from aimwell.core.errors import BadQuestion
from aimwell.core.keys import number_of
from aimwell.store.ledger.engines import READS, WRITES, copy_file, explaining
from aimwell.store.ledger.migrations.chain import Chain


@dataclass(frozen=True, slots=True)
class Door:
    """Where a set of tables is: its connections, the queue of its writers, and its file if it has one."""

    engine: Engine
    turn: Callable[[], AbstractContextManager[None]]
    file: Path | None

    @property
    def untouched(self) -> bool:
        """Whether there is no file yet, or an empty one: to look into it is to write it."""
        return self.file is not None and not (self.file.exists() and self.file.stat().st_size)


def bring_up(chain: Chain, door: Door) -> None:
    """Make the tables, or run what is new since the database was last opened, in one transaction.

    A SQLite file that already holds something is copied first, as `NAME.before-REVISION` beside it.
    Raises Unavailable for a database of a newer version.
    """
    with explaining(door.engine):
        standing = None if door.untouched else _standing(chain, door)
        if standing == chain.head:
            return
        with door.turn():
            standing = None if door.untouched else _standing(chain, door)
            if standing is not None and standing != chain.head:
                chain.check(standing)
                if door.file:
                    copy_file(door.file, door.file.with_name(f"{door.file.name}.before-{chain.head}"))
            with _alone(door) as connection:
                _bring_up(chain, connection)


def _bring_up(chain: Chain, connection: Connection) -> None:
    standing = chain.standing(connection)
    if standing is None:
        chain.create(connection)
    elif standing != chain.head:
        chain.check(standing)
        chain.upgrade(connection)


def require_plain_order(connection: Connection) -> None:
    """Raises BadQuestion for a PostgreSQL database whose texts are not UTF-8 or not compared character by character.

    Ties are broken by id, in Python and in SQL alike; the order of a language would put "a" before "B".
    """
    plain = connection.scalar(select(literal("B") < literal("a")))
    encoding = connection.scalar(select(func.current_setting("server_encoding")))
    if not plain or encoding != "UTF8":
        raise BadQuestion(
            "The ledger's database does not keep or compare texts as Python does",
            expected="encoding UTF8 and the order C",
            seen=f"encoding {encoding}, {'the order C' if plain else 'another order'}",
            remedy="Make it so: CREATE DATABASE aimwell TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';",
        )


def _standing(chain: Chain, door: Door) -> str | None:
    options = READS[door.engine.dialect.name]
    with door.engine.connect().execution_options(**options) as connection, connection.begin():
        return chain.standing(connection)


@contextmanager
def _alone(door: Door) -> Iterator[Connection]:
    """A transaction that no other process shares while it changes tables."""
    with door.engine.connect().execution_options(**WRITES) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(number_of("ledger", "tables"))))
        yield connection
