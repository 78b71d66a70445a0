"""Comparisons, bounds and windows: the pieces that rules are made of, with the words in which they are refused."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from aimwell.core.errors import BadQuestion
from aimwell.core.time import parse_duration

Scalar = bool | int | float | str | date
Path = tuple[str | int, ...]


def _scalar(value: object) -> Scalar:
    if isinstance(value, datetime) or not isinstance(value, bool | int | float | str | date):
        raise ValueError("expected one value such as 5, gold, true or 2017-11-01")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a finite number")
    return value


def _ordered(value: object) -> int | float | date:
    if isinstance(value, bool | datetime) or not isinstance(value, int | float | str | date):
        raise ValueError("expected a number or a date such as 2017-11-01")
    if isinstance(value, str):
        return _date(value, "expected a number or a date such as 2017-11-01")
    return value if isinstance(value, date) else _number(value)


def _date(text: str, otherwise: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(otherwise) from error


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("expected a number")
    return value


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        length = value
    elif isinstance(value, str):
        try:
            length = parse_duration(value)
        except BadQuestion as error:
            raise ValueError(str(error)) from error
    else:
        raise ValueError(f"{value!r} is no length of time. Write it as 28d, 4w, 2h or P28D.")
    if length <= timedelta(0):
        raise ValueError("a length of time is longer than nothing")
    return length


def _moment(value: object) -> timedelta | date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    otherwise = f"{value!r} is neither a length of time such as 28d nor a date such as 2017-11-01"
    if isinstance(value, str) and value.count("-") == 2:
        return _date(value, otherwise)
    if isinstance(value, str | timedelta):
        return _duration(value)
    raise ValueError(otherwise)


def written(length: timedelta) -> str:
    """A length of time as people write it in a rule: whole days if it is some, otherwise hours, minutes, seconds.

    >>> written(timedelta(weeks=4)), written(timedelta(minutes=90))
    ('28d', '90m')
    """
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _listed(value: object) -> object:
    return several(value) if isinstance(value, list | tuple) else [value]


def several(value: object) -> object:
    """Refuses an empty list where one or more things are expected (before its items are looked at)."""
    if isinstance(value, list | tuple) and not value:
        raise ValueError("expected at least one entry, saw an empty list")
    return value


def _word(value: object) -> str:
    """Ids and categories are text, also where YAML reads them as numbers."""
    if isinstance(value, bool | float) or not isinstance(value, str | int) or value == "":
        raise ValueError(
            f"expected a word or an id, saw {value!r}" + (" (quote it)" if value not in ("", None) else "")
        )
    return str(value)


def _portion(value: object) -> str | int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str) and value.endswith("%"):
        try:
            share = float(value[:-1])
        except ValueError:
            share = 0.0
        if 0 < share <= 100:
            return value
    raise ValueError("expected a share such as 10% or a number of customers such as 5000")


def _shown_duration(length: timedelta | date) -> str | date:
    return written(length) if isinstance(length, timedelta) else length


_AS_IT_IS = PlainSerializer(lambda value: value)
ScalarValue = Annotated[Scalar, PlainValidator(_scalar, json_schema_input_type=bool | int | float | str), _AS_IT_IS]
Scalars = Annotated[tuple[ScalarValue, ...], BeforeValidator(several)]
OrderedValue = Annotated[
    int | float | date, PlainValidator(_ordered, json_schema_input_type=int | float | date), _AS_IT_IS
]
Number = Annotated[int | float, PlainValidator(_number, json_schema_input_type=int | float)]
Duration = Annotated[
    timedelta, PlainValidator(_duration, json_schema_input_type=str), PlainSerializer(written, return_type=str)
]
Moment = Annotated[
    timedelta | date, PlainValidator(_moment, json_schema_input_type=str | date), PlainSerializer(_shown_duration)
]
Word = Annotated[str, PlainValidator(_word, json_schema_input_type=str | int)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_listed, json_schema_input_type=str | int | list[str | int])]
Portion = Annotated[str | int, PlainValidator(_portion, json_schema_input_type=str | int)]


class Part(BaseModel):
    """A piece of a rule: frozen; a key that it does not know is refused with the key that was probably meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="wrap")
    @classmethod
    def _say_what_was_meant(cls, value: object, read: Callable[[object], Part]) -> Part:
        try:
            return read(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                cls.__name__, [_reworded(e, cls) for e in error.errors()]
            ) from None


def _reworded(mistake: Any, kind: type[BaseModel]) -> InitErrorDetails:  # noqa: ANN401 (pydantic's typed dict)
    loc: Path = mistake["loc"]
    if mistake["type"] == "extra_forbidden" and len(loc) == 1:
        message = _unknown_key(str(loc[0]), _keys(kind))
    elif mistake["type"] == "missing":
        message = f"the key {loc[-1]!r} is missing"
    elif mistake["type"] in {"model_type", "dict_type", "model_attributes_type"}:
        message = f"expected keys and values (one of {', '.join(_keys(kind))})"
    else:
        message = str(mistake["msg"]).removeprefix("Value error, ")
    return InitErrorDetails(type=PydanticCustomError("rule", _literal(message)), loc=loc, input=mistake["input"])


def _literal(message: str) -> Any:  # noqa: ANN401 (pydantic wants literal strings, so that they can be translated)
    return message


def _keys(kind: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in kind.model_fields.items()]


def _unknown_key(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
    return f"unknown key {key!r} ({hint})"


class Bounds(Part):
    """Bounds on a number; those that are given all hold."""

    at_least: Number | None = Field(default=None, description="this or more")
    at_most: Number | None = Field(default=None, description="this or less")
    above: Number | None = Field(default=None, description="more than this")
    below: Number | None = Field(default=None, description="less than this")
    is_: Number | None = Field(default=None, alias="is", description="exactly this")
    is_not: Number | None = Field(default=None, description="known, and not this")
    between: tuple[Number, Number] | None = Field(
        default=None, description="from the first to the second, both included"
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Bounds:
        given = comparisons(self)
        if not given and type(self) is Bounds:
            raise ValueError("compare with something: at_least, at_most, above, below, is, is_not or between")
        _refuse_contradiction(given)
        return self

    def hold(self, number: float) -> bool:
        """Whether all bounds hold for a number.

        >>> Bounds(at_least=1, below=3).hold(3)
        False
        """
        return all(_HOLDS[name](number, value) for name, value in comparisons(self))


class Comparison(Part):
    """A comparison of a value; those that are given all hold, and none holds of an unknown value but `known: false`."""

    at_least: OrderedValue | None = Field(default=None, description="this number or date, or a later one")
    at_most: OrderedValue | None = Field(default=None, description="this number or date, or an earlier one")
    above: OrderedValue | None = Field(default=None, description="more, or later, than this")
    below: OrderedValue | None = Field(default=None, description="less, or earlier, than this")
    is_: ScalarValue | None = Field(default=None, alias="is", description="exactly this")
    is_not: ScalarValue | None = Field(default=None, description="known, and not this")
    in_: Scalars | None = Field(default=None, alias="in", description="one of these")
    not_in: Scalars | None = Field(default=None, description="known, and none of these")
    contains: str | None = Field(default=None, min_length=1, description="text that occurs in it")
    known: bool | None = Field(default=None, strict=True, description="whether there is a value at all")
    between: tuple[OrderedValue, OrderedValue] | None = Field(
        default=None, description="from the first to the second, both included"
    )
    plain: ClassVar[bool] = True

    @model_validator(mode="after")
    def _can_be_met(self) -> Comparison:
        given = comparisons(self)
        if not given and self.plain:
            raise ValueError(f"compare with something: {', '.join(key for key in _keys(Comparison))}")
        if self.known is False and len(given) > 1:
            raise ValueError("a value that is not known cannot be compared: leave out `known: false` or the rest")
        _refuse_contradiction(given)
        return self


def equality(value: object) -> object:
    """A bare value where a comparison is expected means equality."""
    return {"is": value} if isinstance(value, str | int | float | bool) else value


def matches(part: Bounds | Comparison, value: Scalar | None) -> bool:
    """Whether all comparisons hold for a value; None is unknown, and meets nothing but `known: false`.

    >>> matches(Comparison(is_not="gold"), None), matches(Comparison(known=False), None)
    (False, True)
    """
    return all(
        (value is not None) is given if name == "known" else value is not None and _HOLDS[name](value, given)
        for name, given in comparisons(part)
    )


def comparisons(part: Bounds | Comparison) -> list[tuple[str, Any]]:
    """The comparisons that are given, each with what it compares to, in a fixed order."""
    return [(name, getattr(part, name)) for name in _OPERATORS if getattr(part, name, None) is not None]


_OPERATORS = ("known", "is_", "is_not", "in_", "not_in", "contains", "between", "at_least", "above", "at_most", "below")
_HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "at_least": lambda seen, bound: seen >= bound,
    "at_most": lambda seen, bound: seen <= bound,
    "above": lambda seen, bound: seen > bound,
    "below": lambda seen, bound: seen < bound,
    "is_": lambda seen, bound: seen == bound,
    "is_not": lambda seen, bound: seen != bound,
    "in_": lambda seen, options: seen in options,
    "not_in": lambda seen, options: seen not in options,
    "contains": lambda seen, text: text in seen,
    "between": lambda seen, bound: bound[0] <= seen <= bound[1],
}


def _refuse_contradiction(given: list[tuple[str, Any]]) -> None:
    """Bounds that no value can meet are a slip of the pen; mixed numbers and dates are too."""
    lows = [value for name, value in given if name in {"at_least", "above"}]
    highs = [value for name, value in given if name in {"at_most", "below"}]
    for name, value in given:
        if name == "between":
            lows.append(value[0])
            highs.append(value[1])
    if len({isinstance(value, date) for value in [*lows, *highs]}) > 1:
        raise ValueError("compare with numbers or with dates, not with both")
    if lows and highs and max(lows) > min(highs):
        raise ValueError(f"no value is at least {max(lows)} and at most {min(highs)}")


class Window(Part):
    """A stretch of time before the instant; nothing given means ever."""

    within: Duration | None = Field(default=None, description="the last so many days or hours, such as 28d")
    since: Moment | None = Field(default=None, description="from so long ago (90d), or from a date, on")
    until: Moment | None = Field(default=None, description="up to so long ago (30d), or up to a date (exclusive)")

    @model_validator(mode="after")
    def _is_a_window(self) -> Window:
        if self.within is not None and (self.since is not None or self.until is not None):
            raise ValueError("give either within, or since and until")
        if isinstance(self.since, timedelta) and isinstance(self.until, timedelta) and self.since <= self.until:
            raise ValueError(f"since {written(self.since)} ago is not before until {written(self.until)} ago")
        if isinstance(self.since, date) and isinstance(self.until, date) and self.since >= self.until:
            raise ValueError(f"since {self.since} is not before until {self.until}")
        return self
