"""Parquet files: typed columns, streamed by row groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as arrow_parquet
from pydantic import Field

from aimwell.core.errors import BadSource
from aimwell.store.sources.parts import nearest
from aimwell.store.sources.places import file_of, file_pieces
from aimwell.store.sources.raw import kind_of, plain
from aimwell.store.sources.reading import BATCH_ROWS, Batch, FileRead, Piece, RawColumn, Reader, unique_names


class ParquetRead(FileRead):
    """`read:` for Parquet files."""

    format: Literal["parquet"] = "parquet"
    columns: tuple[str, ...] = Field(default=(), description="Columns to read, where not all are wanted")


class ParquetReader(Reader[ParquetRead]):
    """Reads Parquet with the types it carries."""

    name = "parquet"
    suffixes = (".parquet", ".pq")
    options = ParquetRead

    def pieces(self, read: ParquetRead, folder: Path, mark: str | None) -> list[Piece]:
        return file_pieces(read, folder)

    def columns(self, piece: Piece, read: ParquetRead) -> tuple[RawColumn, ...]:
        with _opened(piece) as file:
            schema = file.schema_arrow
            found = zip(unique_names(schema.names), schema.types, strict=True)
            known = {name: RawColumn(name, kind_of(kind)) for name, kind in found}
        for name in read.columns:
            if name not in known:
                raise BadSource(f"{piece.name} has no column {name!r}{nearest(name, known)}")
        return tuple(known[name] for name in read.columns or known)

    def batches(self, piece: Piece, read: ParquetRead) -> Iterator[Batch]:
        reached = 0
        with _opened(piece) as file:
            names = [column.name for column in self.columns(piece, read)]
            wanted = list(read.columns) or None
            try:
                for rows in file.iter_batches(BATCH_ROWS, columns=wanted, use_threads=True):
                    numbers = pa.array(np.arange(reached + 1, reached + rows.num_rows + 1, dtype=np.int64))
                    reached += rows.num_rows
                    at = [rows.schema.names.index(name) for name in read.columns] or range(rows.num_columns)
                    yield Batch(pa.table([plain(rows.column(each)) for each in at], names=names), numbers)
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(piece, error) from error


def _opened(piece: Piece) -> arrow_parquet.ParquetFile:
    try:
        return arrow_parquet.ParquetFile(file_of(piece))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(piece, error) from error


def _unreadable(piece: Piece, error: Exception) -> BadSource:
    return BadSource(f"{piece.name} cannot be read as Parquet", seen=str(error), remedy="Is it complete, and Parquet?")


PARQUET = ParquetReader()
