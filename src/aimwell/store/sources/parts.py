"""Parts of a definition that report all of their mistakes at once, each at its own place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a part: where in it, and what to write instead."""

    place: tuple[str | int, ...]
    message: str


class Part(BaseModel):
    """A piece of a definition: frozen, refusing unknown keys with the nearest known one.

    `mistakes` looks at what was written, as it was written, so that its findings stand beside those of the types.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """What is wrong beyond types; nothing by default."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _collect(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return collected(cls, value, handler, cls.mistakes)


def collected(
    cls: type[BaseModel],
    value: object,
    handler: Callable[[object], M],
    mistakes: Callable[[Mapping[str, object]], Iterable[Mistake]] = lambda _: (),
) -> M:
    """The validated model; raises ValidationError with what the types and what `mistakes` found, together."""
    errors: list[InitErrorDetails] = []
    made: M | None = None
    try:
        made = handler(value)
    except ValidationError as error:
        told = _told(error.errors(include_url=False))
        errors += [_again(cls, found["loc"], found["type"], found["msg"], found["input"]) for found in told]
    if isinstance(value, Mapping):
        errors += [_detail(found.place, "mapping", found.message, None) for found in mistakes(value)]
    if errors or made is None:
        raise ValidationError.from_exception_data(cls.__name__, errors)
    return made


def _told(found: list[ErrorDetails]) -> list[ErrorDetails]:
    """The findings that say something: a list is not too short when its items could not be read."""
    return [
        each
        for each in found
        if each["type"] != "too_short" or not any(_inside(other["loc"], each["loc"]) for other in found)
    ]


def _inside(place: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(place) > len(outer) and place[: len(outer)] == outer


def nearest(name: str, known: Iterable[str]) -> str:
    """A parenthesis that names the nearest known word, or all of them when none is near.

    >>> nearest("amont", ["amount", "discount"])
    " (did you mean 'amount'?)"
    """
    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), list(folded), 1)
    if close:
        return f" (did you mean {folded[close[0]]!r}?)"
    return f" (there are: {', '.join(sorted(folded.values()))})" if folded else ""


def _again(
    cls: type[BaseModel], place: tuple[str | int, ...], kind: str, message: str, given: object
) -> InitErrorDetails:
    """A finding of pydantic once more; an unknown key of this very part with the nearest known one."""
    if kind == "extra_forbidden" and len(place) == 1:
        return _detail(
            place, "unknown_key", f"unknown key {place[0]!r}{nearest(str(place[0]), cls.model_fields)}", given
        )
    return _detail(place, kind, message.removeprefix("Value error, "), given)


def _detail(place: tuple[str | int, ...], kind: str, message: str, given: object) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(kind, "{message}", {"message": message}), loc=place, input=given)
