"""Column types of the ledger: instants as whole microseconds UTC, and the common kinds of text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

from aimwell.core.errors import BadQuestion
from aimwell.core.time import require_aware

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def micros(instant: datetime) -> int:
    """Microseconds since 1970 in UTC of an aware instant, exactly.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (require_aware(instant) - EPOCH) // _MICROSECOND


def instant(microseconds: int) -> datetime:
    """The aware instant (in UTC) behind microseconds since 1970.

    >>> instant(1_000_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc)
    """
    return EPOCH + timedelta(microseconds=microseconds)


def length(duration: timedelta) -> int:
    """A duration in microseconds."""
    return duration // _MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as microseconds UTC in a whole number.

    A database's own timestamp types lose the offset (SQLite, silently) or differ between engines; whole numbers
    compare, add and index alike everywhere. Whole numbers are taken as they are: `column + microseconds` is a whole
    number that an instant's column takes and compares with, and `column - column` a duration in microseconds.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: Dialect) -> int | None:
        if isinstance(value, datetime):
            return micros(value)
        if value is None or isinstance(value, int):
            return value
        raise BadQuestion(
            f"{value!r} is not an instant", expected="an aware datetime, or whole microseconds since 1970 in UTC"
        )

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else instant(value)

    def process_literal_param(self, value: datetime | int | None, dialect: Dialect) -> str:
        bound = self.process_bind_param(value, dialect)
        return "NULL" if bound is None else str(bound)
