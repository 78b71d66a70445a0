"""What a template may see of a person: plain values alone, cleaned, and not too many of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from aimwell.core.errors import BadInput

LONGEST_TEXT = 10_000
MOST_ITEMS = 1_000
DEEPEST = 6
LARGEST_NUMBER = 10**30

# Control characters but tab and line breaks, halves of surrogate pairs, and the separators that some read as breaks.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ufffe\uffff\ud800-\udfff]")


class Unsuitable(BadInput):
    """A value of a person cannot be shown: too long, too deep, too many, or of a kind that has no plain text."""


def plain(value: object, depth: int = 0) -> object:
    """The value as a template sees it: text, number, yes or no, date, list or mapping of these, or nothing.

    Subclasses (ready-made markup among them) lose what is special about them; control characters go. A text of blanks
    is nothing: sources write so what they do not know.
    Raises Unsuitable.

    >>> plain({"name": "An\\x00n", "tags": ("a", 1)})
    {'name': 'Ann', 'tags': ['a', 1]}
    """
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, datetime | date):
        return value
    if depth >= DEEPEST:
        raise Unsuitable("a value is nested too deeply", expected=f"at most {DEEPEST} levels")
    if isinstance(value, Mapping):
        _check_count(len(value))
        return {str(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        _check_count(len(value))
        return [plain(inner, depth + 1) for inner in value]
    raise Unsuitable("a value is of a kind that cannot be written", seen=type(value).__name__)


def _text(value: str) -> str | None:
    if len(value) > LONGEST_TEXT:
        raise Unsuitable("a text is too long", expected=f"at most {LONGEST_TEXT} characters", seen=str(len(value)))
    exact = str.__str__(value)
    seen = exact if exact.isascii() and exact.isprintable() else _UNSEEN.sub("", exact)
    return seen if seen and not seen.isspace() else None


def _number(value: int | float | Decimal) -> object:
    if isinstance(value, int):
        if abs(value) > LARGEST_NUMBER:
            raise Unsuitable("a number is too large", expected=f"at most {LARGEST_NUMBER:.0e}")
        return int(value)
    if not _finite(value) or abs(float(value)) > LARGEST_NUMBER:
        raise Unsuitable("a number is not finite or too large", seen=str(value)[:30])
    return value


def _finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


def _check_count(count: int) -> None:
    if count > MOST_ITEMS:
        raise Unsuitable("a value has too many items", expected=f"at most {MOST_ITEMS}", seen=str(count))
