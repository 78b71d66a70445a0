"""Parquet files: typed columns, streamed by row groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as arrow_parquet

from aimwell.core.errors import BadSource
from aimwell.store.sources.places import file_of, file_pieces
from aimwell.store.sources.raw import kind_of, plain
from aimwell.store.sources.reading import BATCH_ROWS, Batch, FileRead, Piece, RawColumn, Reader, unique_names


class ParquetRead(FileRead):
    """`read:` for Parquet files."""

    format: Literal["parquet"] = "parquet"


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
            names = unique_names(schema.names)
            return tuple(RawColumn(name, kind_of(kind)) for name, kind in zip(names, schema.types, strict=True))

    def batches(self, piece: Piece, read: ParquetRead) -> Iterator[Batch]:
        reached = 0
        with _opened(piece) as file:
            names = unique_names(file.schema_arrow.names)
            try:
                for rows in file.iter_batches(BATCH_ROWS, use_threads=True):
                    numbers = pa.array(np.arange(reached + 1, reached + rows.num_rows + 1, dtype=np.int64))
                    reached += rows.num_rows
                    yield Batch(pa.table([plain(column) for column in rows.columns], names=names), numbers)
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
