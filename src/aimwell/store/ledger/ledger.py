"""Opens the ledger: two SQLite files in a folder, or one PostgreSQL database by URL; the only place that connects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from aimwell.core.errors import BadQuestion
from aimwell.store.ledger.engines import READS, WRITES, explaining, make_folder, postgres_engine, sqlite_engine
from aimwell.store.ledger.migrations.chain import EVENTS_CHAIN, STATE_CHAIN
from aimwell.store.ledger.opening import Door, bring_up, require_plain_order
from aimwell.store.ledger.turnstile import Turnstile

Backend = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """An opened ledger. Threads may share it; each block has a connection and a transaction of its own.

    A block that fails leaves nothing behind. Raises Unavailable when the database cannot be reached or written.
    """

    backend: Backend
    state: Engine
    events: Engine
    _state_queue: Turnstile | None
    _events_queue: Turnstile | None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction on the state, in the fair queue of writers; committed when the block ends well."""
        with _writing(self.state, self._state_queue) as connection:
            yield connection

    @contextmanager
    def writing_events(self) -> Iterator[Connection]:
        """A transaction on the inbox; ingest alone writes it."""
        with _writing(self.events, self._events_queue) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of the state, whatever others commit meanwhile; writing in it is refused."""
        with _reading(self.state) as connection:
            yield connection

    @contextmanager
    def reading_events(self) -> Iterator[Connection]:
        """A consistent view of the inbox, whatever others commit meanwhile; writing in it is refused."""
        with _reading(self.events) as connection:
            yield connection

    def close(self) -> None:
        self.state.dispose()
        self.events.dispose()


def open_ledger(place: str | Path) -> Ledger:
    """The ledger at a place: a folder for SQLite, or `postgresql://user@host/database`.

    Its tables are made if there are none, and brought up to this version if they are older; SQLite files are copied
    before that. Several processes may open it at once.
    Raises Unavailable when the database cannot be reached or written, or is of a newer version; BadQuestion for a URL
    of another kind.
    """
    if isinstance(place, Path) or "://" not in place:
        return _open_folder(Path(place))
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise BadQuestion("The ledger's URL cannot be read", remedy="Write postgresql://user@host/database.") from error
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise BadQuestion(
            f"The ledger cannot be kept in {url.get_backend_name()}",
            expected="a folder (SQLite) or a URL postgresql://user@host/database",
        )
    return _open_server(url)


def _open_folder(folder: Path) -> Ledger:
    make_folder(folder)
    files = folder / "state.db", folder / "events.db"
    queues = Turnstile(files[0]), Turnstile(files[1])
    engines = sqlite_engine(files[0]), sqlite_engine(files[1])
    for chain, engine, queue, file in zip((STATE_CHAIN, EVENTS_CHAIN), engines, queues, files, strict=True):
        bring_up(chain, Door(engine, queue.turn, file))
    return Ledger("sqlite", *engines, *queues)


def _open_server(url: URL) -> Ledger:
    engine = postgres_engine(url)
    try:
        with _reading(engine) as connection:
            require_plain_order(connection)
        for chain in (STATE_CHAIN, EVENTS_CHAIN):
            bring_up(chain, Door(engine, nullcontext, None))
    except BaseException:
        engine.dispose()
        raise
    return Ledger("postgresql", engine, engine, None, None)


@contextmanager
def _writing(engine: Engine, queue: Turnstile | None) -> Iterator[Connection]:
    turn: AbstractContextManager[None] = queue.turn() if queue else nullcontext()
    with turn, explaining(engine), engine.connect().execution_options(**WRITES) as connection:
        with connection.begin():
            yield connection


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    options = READS[engine.dialect.name]
    with explaining(engine), engine.connect().execution_options(**options) as connection:
        with connection.begin():
            yield connection
