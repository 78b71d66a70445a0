"""Results as plain values: what a page, a report or `--json` shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum

import numpy as np


def plain(value: object) -> object:
    """Dataclasses, texts, instants and arrays as dicts, lists, numbers and words, ready for JSON.

    Numbers that are not finite become null.

    >>> plain({"share": float("nan"), "days": (1, 2)})
    {'share': None, 'days': [1, 2]}
    """
    match value:
        case Enum():
            return value.value
        case None | bool() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case np.bool_():
            return bool(value)
        case np.ndarray():
            return [plain(each) for each in value.tolist()]
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no plain form")


class Result:
    """A result that others display: `to_dict` gives everything in it as plain values."""

    __slots__ = ()

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, ready for JSON."""
        found = plain(self)
        assert isinstance(found, dict)  # noqa: S101 (results are dataclasses)
        return found
