"""The Liquid in which content is written: strict, without clock, files and escapes from escaping, and with limits.

What is left out of the language, and why: `include` and `render` (no files), `now` and `today` (a message of yesterday
rendered again must say the same), `safe` and `escapejs` (a person's value must not become markup), counters and tables
(nobody writes them in messages). What is bounded: output, loops, nesting, size of each intermediate value, time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import wraps
from io import StringIO
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.exceptions import (
    FilterArgumentError,
    FilterValueError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
)
from liquid.undefined import UNDEFINED, FalsyStrictUndefined
from liquid.utils import ReadOnlyChainMap

from aimwell.content.plain import LARGEST_NUMBER, MOST_ITEMS

LONGEST_OUTPUT = 500_000
LONGEST_VALUE = 50_000
MOST_TURNS = 2_000
DEEPEST_BLOCK = 12
SECONDS = 0.25

TAGS = frozenset(
    ["if", "unless", "case", "for", "break", "continue", "assign", "capture", "cycle", "echo", "comment", "#", "liquid"]
)
_PSEUDO_TAGS = frozenset(["content", "output", "illegal"])
_NO_FILTERS = frozenset(["safe", "escapejs", "base64_decode", "base64_url_safe_decode", "strip_html"])
_DATE_FORMAT = re.compile(r"(?:[^%]|%-?[A-Za-z%]){0,100}")


class Page(StringIO):
    """Where a template writes; ends the rendering when too much was written or too much time has gone."""

    def __init__(self, room: int, clock: Stopwatch) -> None:
        super().__init__()
        self.room, self.clock = room, clock

    def write(self, text: str) -> int:
        self.room -= len(text)
        if self.room < 0:
            raise OutputStreamLimitError(f"the text grows beyond {LONGEST_OUTPUT:,} characters", token=None)
        self.clock.check()
        return super().write(text)


class Stopwatch:
    """How long one rendering may take; counts the thread's own time, so that a busy machine fails nobody."""

    __slots__ = ("begun", "wall")

    def __init__(self) -> None:
        self.wall = time.perf_counter() + SECONDS
        self.begun = time.thread_time()

    def check(self) -> None:
        if time.perf_counter() > self.wall and time.thread_time() - self.begun > SECONDS:
            raise ResourceLimitError(f"rendering took longer than {SECONDS} s", token=None)


class Scope(RenderContext):
    """The names of one rendering: the person's values and what the template itself assigns; no clock."""

    __slots__ = ("stopwatch", "turns")

    def __init__(self, template: BoundTemplate, *, globals: Mapping[str, object] | None = None, **more: Any) -> None:  # noqa: A002, ANN401
        super().__init__(template, globals=globals, **more)
        self.scope = ReadOnlyChainMap(self.locals, self.globals)
        self.stopwatch = Stopwatch()
        self.turns = 0

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:  # noqa: ANN401
        """What stands under a path; nothing (`None`) counts as missing, as the brief to writers says."""
        found = super().get(path, token=token, default=default)
        if found is None and default is UNDEFINED:
            return self.env.undefined(str(path[0]), hint=f"{'.'.join(map(str, path))!r} is missing", token=token)
        return found

    def get_buffer(self, buf: object = None) -> StringIO:
        return Page(buf.room if isinstance(buf, Page) else LONGEST_OUTPUT, self.stopwatch)

    def assign(self, key: str, val: object) -> None:
        if len(self.locals) >= MOST_ITEMS:
            raise LocalNamespaceLimitError("too many names are assigned", token=None)
        self.locals[key] = checked(val)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.turns += length
        self.stopwatch.check()
        if self.turns > MOST_TURNS:
            raise LoopIterationLimitError(f"loops turn more than {MOST_TURNS:,} times in all", token=None)


class Missing(FalsyStrictUndefined):
    """A value that the person does not have: false in conditions, replaced by `default`, an error anywhere else."""

    __slots__ = ()


class Sandbox(Environment):
    """The environment in which the parts of content are compiled; one that escapes for HTML and one that does not."""

    block_nesting_limit = DEEPEST_BLOCK
    context_depth_limit = 30
    output_stream_limit = LONGEST_OUTPUT

    def __init__(self, *, escapes: bool) -> None:
        super().__init__(autoescape=escapes, undefined=Missing, strict_filters=True)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS | _PSEUDO_TAGS}
        self.filters = {name: bounded(name, run) for name, run in self.filters.items() if name not in _NO_FILTERS}
        self.filters["date"] = written_date


def bounded(name: str, run: Callable[..., object]) -> Callable[..., object]:
    """A filter whose result may not grow beyond what a message needs, checked before where it could explode."""

    @wraps(run)
    def filtered(value: object, *arguments: object, **named: object) -> object:
        if name.startswith("replace"):
            _check_replaced(value, arguments)
        elif name == "join":
            _check_joined(value, arguments)
        elif name == "times" and any(_magnitude(one) > LARGEST_NUMBER for one in (value, *arguments)):
            raise FilterValueError("the number becomes too large", token=None)
        return checked(run(value, *arguments, **named))

    return filtered


def checked(value: object) -> object:
    """The value, unless it is larger than any message needs."""
    if isinstance(value, str):
        if len(value) > LONGEST_VALUE:
            raise FilterValueError(f"a text grows beyond {LONGEST_VALUE:,} characters", token=None)
    elif isinstance(value, list | tuple | dict | range):
        if len(value) > MOST_ITEMS:
            raise FilterValueError(f"a list grows beyond {MOST_ITEMS:,} items", token=None)
    elif _magnitude(value) > LARGEST_NUMBER:
        raise FilterValueError("the number becomes too large", token=None)
    return value


def written_date(value: object, shape: object) -> object:
    """A day or instant in the shape asked for, such as `%Y-%m-%d`; texts are ISO 8601, numbers epoch seconds.

    There is no `now`: raises for anything that is not a date.
    """
    if isinstance(value, Missing):
        return value
    if not isinstance(shape, str) or not _DATE_FORMAT.fullmatch(shape):
        raise FilterArgumentError("date takes a shape such as '%Y-%m-%d'", token=None)
    try:
        return _instant(value).strftime(shape)
    except (ValueError, OverflowError, OSError, UnicodeError) as error:
        raise FilterArgumentError(f"this is no date: {str(value)[:40]!r}", token=None) from error


def _instant(value: object) -> date:
    if isinstance(value, datetime | date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip())
    raise ValueError(value)


def _magnitude(value: object) -> float:
    return abs(value) if isinstance(value, int | float) and value == value else 0


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 40


def _check_replaced(value: object, arguments: tuple[object, ...]) -> None:
    sought, put = (*arguments, "", "")[:2]
    if _length(put) > 40 and str(value).count(str(sought)) * _length(put) > LONGEST_VALUE:
        raise FilterValueError(f"a text grows beyond {LONGEST_VALUE:,} characters", token=None)


def _check_joined(value: object, arguments: tuple[object, ...]) -> None:
    if isinstance(value, list | tuple):
        longest = sum(map(_length, value)) + len(value) * _length((*arguments, " ")[0])
        if longest > LONGEST_VALUE * 2:
            raise FilterValueError(f"a text grows beyond {LONGEST_VALUE:,} characters", token=None)


PLAIN = Sandbox(escapes=False)
HTML = Sandbox(escapes=True)
