"""The rules of contact in `[delivery]` of aimwell.toml: how often, at which hours, how fast, at what cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.core.keys import share_of
from aimwell.core.problems import Problem
from aimwell.core.time import parse_duration

Purpose = Literal["marketing", "service"]
Scope = Literal["marketing", "service", "*"]
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _duration(value: object) -> object:
    """A duration as people write it (`24h`, `P1D`), or one already."""
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except BadQuestion as error:
        raise ValueError(str(error)) from error


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _covers(scope: Scope, purpose: Purpose) -> bool:
    return scope in {"*", purpose}


class Cap(_Part):
    """At most so many contacts of one customer within a sliding window, over one, several or all channels."""

    channels: Literal["*"] | tuple[str, ...] = "*"
    at_most: int = Field(ge=1)
    within: Duration = Field(gt=timedelta(0))
    purpose: Scope = Field(default="marketing", description="contacts that count and that it limits")
    action: Literal["drop", "postpone"] = Field(default="drop", description="postpone: until the window has room")

    @property
    def label(self) -> str:
        """The rule in short, written beside the reason.

        >>> Cap(at_most=2, within="7d").label
        '2 within 7 d on *'
        """
        channels = "*" if self.channels == "*" else "+".join(self.channels)
        return f"{self.at_most} within {_written(self.within)} on {channels}"


class QuietHours(_Part):
    """Hours on the customer's own clocks at which nothing is sent; they may run over midnight.

    weekdays: the local days on which the quiet stretch begins; left out, every day.
    """

    since: str = Field(default="21:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    until: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    weekdays: frozenset[int] | None = Field(default=None, description="mon, tue, … or 0 (Monday) to 6")
    action: Literal["postpone", "drop"] = "postpone"
    purpose: Scope = "marketing"

    @field_validator("weekdays", mode="before")
    @classmethod
    def _named_days(cls, value: object) -> object:
        if not isinstance(value, list | tuple | set | frozenset):
            return value
        unknown = [day for day in value if day not in _DAYS and day not in range(7)]
        if unknown or not value:
            raise ValueError(f"weekdays are some of {', '.join(_DAYS)}")
        return frozenset(_DAYS.index(day) if isinstance(day, str) else day for day in value)

    @model_validator(mode="after")
    def _not_empty(self) -> QuietHours:
        if self.since == self.until:
            raise ValueError("quiet hours that end when they begin: leave them out, or give another `until`")
        return self

    @property
    def minutes(self) -> tuple[int, int]:
        """Both times of day, in minutes since midnight."""
        since, until = (int(text[:2]) * 60 + int(text[3:]) for text in (self.since, self.until))
        return since, until


class Throttle(_Part):
    """How fast a channel may send in the long run; a burst of one unit's worth is let through after a rest."""

    per_second: int | None = Field(default=None, ge=1)
    per_minute: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one(self) -> Throttle:
        if (self.per_second is None) == (self.per_minute is None):
            raise ValueError("give per_second or per_minute, one of them")
        return self

    @property
    def burst(self) -> int:
        return self.per_second or self.per_minute or 1

    @property
    def interval(self) -> int:
        """Microseconds between two messages."""
        return (1_000_000 if self.per_second else 60_000_000) // self.burst


class Retry(_Part):
    """When a message that the provider did not take is tried again: twice as late each time, up to a ceiling.

    The defaults bridge a provider that is down for a day (16 attempts over one and a half days at least).
    """

    first: Duration = Field(default=timedelta(minutes=1), gt=timedelta(0))
    ceiling: Duration = Field(default=timedelta(hours=6), gt=timedelta(0))
    attempts: int = Field(default=16, ge=1, description="after so many attempts it is dead until a person revives it")

    def wait(self, key: str, attempt: int) -> timedelta:
        """How long to wait after the attempt of that number: between 75 % and 100 % of the step, fixed by the key.

        >>> Retry().wait("k", 1) <= timedelta(minutes=1) < Retry().wait("k", 3) * 2
        True
        """
        step: timedelta = min(self.first * 2 ** min(attempt - 1, 40), self.ceiling)
        return step * (0.75 + 0.25 * share_of("retry", key, str(attempt)))


class Policy(_Part):
    """What delivery goes by. Without a `[delivery]` nothing is capped; quiet hours are 21:00 to 08:00."""

    caps: tuple[Cap, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = (QuietHours(),)
    throttle: Mapping[str, Throttle] = Field(default_factory=dict, description="by channel")
    costs: Mapping[str, float] = Field(default_factory=dict, description="of one message, in the currency, by channel")
    retry: Retry = Retry()
    hold: Duration = Field(
        default=timedelta(minutes=10), description="a provider that is down is probed at least so often"
    )
    lease: Duration = Field(default=timedelta(minutes=10), description="how long an attempt may run")

    @field_validator("quiet_hours", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, Mapping | QuietHours) else value

    def cost(self, channel: str) -> int:
        """What a message on a channel costs, in millionths of the currency."""
        return round(self.costs.get(channel, 0) * 1_000_000)

    @property
    def minutes(self) -> frozenset[int]:
        """The times of day whose instants must be known."""
        return frozenset(minute for rule in self.quiet_hours for minute in rule.minutes)


def read_policy(content: Mapping[str, object], channels: Iterable[str] | None = None) -> Policy:
    """The policy as `[delivery]` says it; raises BadDefinition with every problem.

    channels: names of the channels that exist; a rule for any other is a problem.
    """
    try:
        policy = Policy.model_validate(content)
    except ValidationError as error:
        raise BadDefinition(
            [_problem(tuple(map(str, mistake["loc"])), mistake["msg"]) for mistake in error.errors(include_url=False)]
        ) from error
    known = set(channels) if channels is not None else None
    if known is not None and (wrong := sorted(_named(policy) - known)):
        listed = ", ".join(sorted(known)) or "none"
        raise BadDefinition([_problem((), f"there is no channel {name!r}; there are: {listed}") for name in wrong])
    return policy


def purposes(scope: Scope) -> tuple[Purpose, ...]:
    """The purposes that a rule is for."""
    return tuple(purpose for purpose in ("marketing", "service") if _covers(scope, purpose))


def _named(policy: Policy) -> set[str]:
    capped = {name for cap in policy.caps if cap.channels != "*" for name in cap.channels}
    return capped | set(policy.throttle) | set(policy.costs)


def _problem(loc: tuple[str, ...], message: str) -> Problem:
    return Problem("aimwell.toml", None, ".".join(("delivery", *loc)), message)


def _written(duration: timedelta) -> str:
    for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if duration.total_seconds() % seconds == 0:
            return f"{int(duration.total_seconds() // seconds)} {unit}"
    return f"{duration.total_seconds():g} s"
