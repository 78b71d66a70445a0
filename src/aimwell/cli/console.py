"""What a command says and how: people get words and tables, programs get JSON, both get clear errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from signal import SIGINT, signal
from threading import current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from aimwell.core.errors import AimwellError, BadDefinition, BadInput, Unavailable
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Language, Text

if TYPE_CHECKING:
    from aimwell.store.workspace import Workspace

CANCELLED = 130
BAD_INPUT = 2
FAILED = 1

_CANCELLED = Text(
    "已取消：已完成的保留，没有半途的结果。", "Cancelled: what was finished stays, nothing is left half done."
)


class Cancelled(AimwellError):
    """A person stopped the command."""


@dataclass
class Session:
    """The options that every command shares, and the places it writes to.

    interrupted: whether a person has pressed Ctrl-C since; whatever fails afterwards fails for that reason.
    """

    folder: Path = Path()
    as_json: bool = False
    quiet: bool = False
    language: Language | None = None
    interrupted: bool = False

    def workspace(self) -> Workspace:
        """The workspace that the command works on."""
        from aimwell.store.workspace import open_workspace  # not before a command runs: it brings the warehouse

        return open_workspace(self.folder)

    def speaks(self, workspace: Workspace | None = None) -> Language:
        """The language to speak: as asked for, else the workspace's, else English."""
        return self.language or (workspace.settings.language if workspace else "en")

    @property
    def out(self) -> Console:
        return Console(soft_wrap=True, highlight=False)

    def say(self, text: str) -> None:
        """A line for people; nothing when the output is JSON or quiet."""
        if not self.as_json and not self.quiet:
            self.out.print(text, markup=False)

    def json(self, value: object) -> None:
        """The result for programs, if they asked."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
        """A table for people; columns of numbers are aligned right."""
        if self.as_json or self.quiet:
            return
        drawn = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
        for index, column in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[index], int | float | Decimal) for row in rows)
            drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            drawn.add_row(*[_shown(cell) for cell in row])
        self.out.print(drawn)

    @contextmanager
    def progress(self, title: str) -> Iterator[Progress]:
        """A progress bar on the error stream, so that the result can be piped."""
        if self.quiet or self.as_json:
            yield silent
            return
        columns = (TextColumn("{task.fields[title]}"), BarColumn(24), TextColumn("{task.percentage:>3.0f}%"))
        with Bar(*columns, TimeElapsedColumn(), TextColumn("{task.description}"), console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=1.0, title=title)
            yield lambda what, done: bar.update(task, completed=min(1.0, done), description=what)
            bar.update(task, completed=1.0, description="")


def plain(value: object) -> Any:  # noqa: ANN401 (JSON)
    """A value as JSON can carry it: dataclasses as objects, instants and amounts as text, texts in both languages."""
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if isinstance(value, Text):
        return {"zh": value.zh, "en": value.en}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float | bool) or value is None:
        return None if isinstance(value, float) and value != value else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


@contextmanager
def told(session: Session) -> Iterator[None]:
    """Turn errors into a message and an exit code."""
    try:
        yield
    except AimwellError as error:
        if session.interrupted:
            raise
        _tell(session, error)
        raise typer.Exit(BAD_INPUT if isinstance(error, BadInput) else FAILED) from error
    except OSError as error:
        if session.interrupted:
            raise
        refused = Unavailable(
            f"{error.filename or 'A file'} cannot be used: {error.strerror or error}",
            remedy="Check the path, and who may read and write it.",
        )
        _tell(session, refused)
        raise typer.Exit(FAILED) from error


@contextmanager
def interruptible(session: Session) -> Iterator[None]:
    """Let Ctrl-C end a command with one sentence, in whatever shape it comes up.

    An interrupt that strikes inside of a library may come up as that library's own error, or as one of cleaning up.
    """

    def note(_number: int, _frame: FrameType | None) -> None:
        session.interrupted = True
        raise KeyboardInterrupt

    main = current_thread() is main_thread()  # others cannot listen to signals, and none is sent to them
    before = signal(SIGINT, note) if main else None
    try:
        yield
    except BaseException as error:
        if not session.interrupted and not isinstance(error, KeyboardInterrupt):
            raise
        _tell(session, Cancelled(_CANCELLED.said(session.speaks())))
        raise typer.Exit(CANCELLED) from error
    finally:
        if main:
            signal(SIGINT, before)


def _tell(session: Session, error: AimwellError) -> None:
    if session.as_json:
        found: dict[str, object] = {"error": type(error).__name__, "message": str(error), "remedy": error.remedy}
        if isinstance(error, BadDefinition):
            found["problems"] = [asdict(problem) for problem in error.problems]
        sys.stderr.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    Console(stderr=True, soft_wrap=True).print(str(error), markup=False, style="red", highlight=False)


def _shown(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and cell != cell):
        return "—"
    if isinstance(cell, float):
        return f"{cell:,.3f}"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return str(cell)
