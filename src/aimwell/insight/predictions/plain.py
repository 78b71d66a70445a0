"""Results as plain values: what a page, a report or `--json` shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

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


def revived(kind: Any, value: object) -> Any:  # noqa: ANN401 (the kind says what comes out)
    """The value of which `plain` made these plain values, given its annotated type; null where a float is due was NaN.

    Raises ValueError, KeyError or TypeError where the values do not fit.

    >>> revived(tuple[float, ...], [1, None])
    (1.0, nan)
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else revived(next(each for each in inner if each is not type(None)), value)
    if kind is float:
        return math.nan if value is None else float(value)  # type: ignore[arg-type]
    if kind is datetime:
        return datetime.fromisoformat(str(value))
    if origin is tuple and isinstance(value, list):
        kinds = [inner[0]] * len(value) if inner[1:] == (Ellipsis,) else inner
        return tuple(revived(one, each) for one, each in zip(kinds, value, strict=True))
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, Mapping):
        hints = get_type_hints(kind)
        return kind(**{field.name: revived(hints[field.name], value[field.name]) for field in fields(kind)})
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return {str(key): revived(inner[1], each) for key, each in value.items()}
    return value


class Result:
    """A result that others display: `to_dict` gives everything in it as plain values."""

    __slots__ = ()

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, ready for JSON."""
        found = plain(self)
        assert isinstance(found, dict)  # noqa: S101 (results are dataclasses)
        return found
