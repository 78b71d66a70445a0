"""Tables and queries of any database that SQLAlchemy can reach; its address comes from the environment."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from pydantic import Field

from aimwell.core.errors import BadSource, Unavailable
from aimwell.store.sources.parts import Mistake, nearest
from aimwell.store.sources.reading import Batch, Piece, RawColumn, Read, Reader, unique_names

if TYPE_CHECKING:  # SQLAlchemy takes most of a second to import: only who reads a database waits for it
    from sqlalchemy import Connection, Select

_ROWS = 20_000


class DatabaseRead(Read):
    """`read:` for a table or query of a database."""

    format: Literal["database"] = "database"
    url_env: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the SQLAlchemy address (never the address itself)",
    )
    table: str | None = Field(default=None, description="Table, with its schema if need be: shop.orders")
    query: str | None = Field(default=None, description="One SELECT in the database's own dialect")
    watermark: str | None = Field(
        default=None, description="Column that grows (an id, a time of change): later loads read from its last value on"
    )

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """Either a table or one SELECT."""
        yield from super().mistakes(written)
        query = written.get("query")
        if (written.get("table") is None) == (query is None):
            yield Mistake((), "a database is read by `table:` or by `query:`, one of the two")
        if isinstance(query, str) and not query.lstrip().lower().startswith(("select", "with")):
            yield Mistake(("query",), "the query is one SELECT")

    @property
    def incremental(self) -> bool:
        return self.watermark is not None


class DatabaseReader(Reader[DatabaseRead]):
    """Streams rows from a database, values as text; nothing is ever written there."""

    name = "database"
    options = DatabaseRead

    def pieces(self, read: DatabaseRead, folder: Path, mark: str | None) -> list[Piece]:
        mean = read.table or f"query {hashlib.sha256((read.query or '').encode()).hexdigest()[:12]}"
        return [Piece(f"database:{mean}" + (f" from {mark}" if mark else ""), since=mark)]

    def columns(self, piece: Piece, read: DatabaseRead) -> tuple[RawColumn, ...]:
        from sqlalchemy import false

        with _connected(read) as connection:
            keys = list(connection.execute(_statement(connection, read, None).where(false())).keys())
        if read.watermark and read.watermark not in keys:
            raise BadSource(f"{piece.name} has no column {read.watermark!r} (watermark){nearest(read.watermark, keys)}")
        return tuple(RawColumn(name) for name in unique_names(keys))

    def batches(self, piece: Piece, read: DatabaseRead) -> Iterator[Batch]:
        names = [column.name for column in self.columns(piece, read)]
        at = names.index(read.watermark) if read.watermark else None
        reached = 0
        highest: Any = None  # of whatever type the database gives; compared with its own kind alone
        with _connected(read) as connection:
            streamed = connection.execution_options(stream_results=True, yield_per=_ROWS)
            for rows in streamed.execute(_statement(connection, read, piece.since)).partitions():
                if at is not None:
                    known = [row[at] for row in rows if row[at] is not None]
                    highest = max([*known, *([highest] if highest is not None else [])], default=None)
                columns = [pa.array([_text(row[i]) for row in rows], pa.string()) for i in range(len(names))]
                numbers = pa.array(range(reached + 1, reached + len(rows) + 1), pa.int64())
                reached += len(rows)
                yield Batch(pa.table(columns, names=names), numbers, mark=_mark(highest))


def _statement(connection: Connection, read: DatabaseRead, since: str | None) -> Select[Any]:
    """Everything, or what lies at or above the mark: rows at the mark come again and are dropped as duplicates."""
    from sqlalchemy import column, inspect, literal_column, select, table, text

    if read.table:
        schema, _, name = read.table.rpartition(".")
        described = inspect(connection).get_columns(name, schema=schema or None)
        known = {str(each["name"]): each["type"] for each in described}
        relation: Any = table(name, *[column(n, kind) for n, kind in known.items()], schema=schema or None)
        chosen: Select[Any] = select(*relation.c)
    else:
        marked: list[Any] = [column(read.watermark)] if read.watermark else []
        relation = text((read.query or "").rstrip().rstrip(";")).columns(*marked).subquery("read")
        chosen = select(literal_column("*")).select_from(relation)
    if read.watermark and read.watermark in relation.c:
        grows = relation.c[read.watermark]
        chosen = chosen.order_by(grows)
        if since is not None:
            chosen = chosen.where(grows >= _value(since))
    return chosen


@contextmanager
def _connected(read: DatabaseRead) -> Iterator[Connection]:
    """A connection whose work is rolled back; no message shows the address."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    address = os.environ.get(read.url_env)
    if not address:
        raise Unavailable(
            f"The environment variable {read.url_env} is not set",
            remedy=f"Set it to the SQLAlchemy address of the database before loading, such as {read.url_env}=postgresql+psycopg://…",
        )
    try:
        with create_engine(address, poolclass=NullPool).connect() as connection:
            yield connection
    except NoSuchTableError as error:
        raise BadSource(f"The database of {read.url_env} has no table {read.table!r}", seen=str(error)) from None
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise Unavailable(
            f"The driver for the database of {read.url_env} is missing",
            seen=_hidden(str(error), address),
            remedy="Install it.",
        ) from None
    except ArgumentError:
        raise Unavailable(f"What {read.url_env} holds is no SQLAlchemy address") from None
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise Unavailable(f"The database of {read.url_env} did not answer", seen=_hidden(str(cause), address)) from None


def _hidden(message: str, address: str) -> str:
    """A driver's message without the address or password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    secrets = [address]
    with suppress(ArgumentError):
        secrets.append(make_url(address).password or "")
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return message


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _mark(value: object) -> str | None:
    """A watermark as text that says its type.

    >>> _mark(12), _mark(datetime(2024, 5, 1, 8))
    ('int:12', 'datetime:2024-05-01T08:00:00')
    """
    if value is None:
        return None
    for kind in (datetime, date):
        if isinstance(value, kind):
            return f"{kind.__name__}:{value.isoformat()}"
    return f"{type(value).__name__}:{value}"


def _value(mark: str) -> object:
    kind, _, written = mark.partition(":")
    match kind:
        case "int":
            return int(written)
        case "float":
            return float(written)
        case "Decimal":
            return Decimal(written)
        case "datetime":
            return datetime.fromisoformat(written)
        case "date":
            return date.fromisoformat(written)
        case _:
            return written


DATABASE = DatabaseReader()
