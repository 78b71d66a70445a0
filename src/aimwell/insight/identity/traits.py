"""Traits as profile values: nested objects become dotted names, and each value a text, a number or both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

LONGEST_NAME = 100
LONGEST_TEXT = 1_000
"""Characters; longer names and texts are no attributes to choose people by, and are left out."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXACT = 2**53


class Value(NamedTuple):
    """A profile value; both empty: the trait was taken back (null)."""

    text: str | None
    number: float | None


def flatten(traits: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, Value | None]]:
    """Names and values, nested objects by dotted path, in the order of the message; None for what cannot be kept.

    >>> dict(flatten({"plan": "gold", "address": {"city": "上海"}, "born": "1970-01-02", "vip": True}))
    {'plan': Value(text='gold', number=None), 'address.city': Value(text='上海', number=None),
     'born': Value(text='1970-01-02', number=1.0), 'vip': Value(text='true', number=1.0)}
    """
    for key, content in traits.items():
        name = f"{prefix}{key}"
        if isinstance(content, dict):
            yield from flatten(content, f"{name}.")
        elif not key.strip() or len(name) > LONGEST_NAME:
            yield name, None
        else:
            yield name, type_value(content)


def type_value(content: object) -> Value | None:
    """A value as text and number: yes is 1, a date is also the days since 1970, a list its JSON; None if too long."""
    if content is None:
        return Value(None, None)
    if isinstance(content, bool):
        return Value("true" if content else "false", float(content))
    if isinstance(content, int | float):
        return Value(None if abs(content) <= _EXACT else str(content), float(content))
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return None if len(text) > LONGEST_TEXT else Value(text, _days(text))


def _days(text: str) -> float | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return float(date.fromisoformat(text).toordinal() - _EPOCH_DAY)
    except ValueError:
        return None
