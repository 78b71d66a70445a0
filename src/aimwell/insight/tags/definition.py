"""What a tag without code is: its words for people, and one way to find it (formula, rule, tiers or list)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, model_validator

from aimwell.core.comparisons import several
from aimwell.core.definitions import Definition, Label
from aimwell.core.errors import Refused
from aimwell.core.rules import Rule
from aimwell.insight.features.family import Kind, TagFamily
from aimwell.insight.tags.formula import parse_formula
from aimwell.store.sources.parts import Mistake, Part, collected

Value = bool | int | float | str
_WAYS = ("formula", "rule", "tiers", "manual")
_WAYS_OF = {"customer": _WAYS, "product": ("formula", "manual"), "channel": ("manual",)}


def _texts(written: object) -> object:
    if isinstance(written, list | tuple):
        return tuple(str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in written)
    return written


class Tier(Part):
    """One tier: the value of those whom the rule matches and no tier above did."""

    when: Rule
    then: Value


class Listing(Part):
    """Customers, products or channels listed by hand, with an owner and an end, so that no list outlives its reason."""

    ids: Annotated[tuple[str, ...], BeforeValidator(_texts)] = Field(default=(), description="the ids themselves")
    file: str | None = Field(
        default=None,
        description="CSV file in the workspace with the column id, and value, since and until if they differ by row",
    )
    since: date = Field(description="first local day on which the tag holds and is known")
    until: date = Field(description="local day from which on it holds no more")
    owner: str = Field(min_length=1, description="who answers for the list")

    @classmethod
    def mistakes(cls, written: Mapping[str, object]) -> Iterator[Mistake]:
        """Either ids or a file, and days in order."""
        if bool(written.get("ids")) == bool(written.get("file")):
            yield Mistake((), "a list gives its ids: or its file:, one of the two")
        since, until = written.get("since"), written.get("until")
        if isinstance(since, date) and isinstance(until, date) and until <= since:
            yield Mistake(("until",), f"the list ends on {until}, before it begins on {since}")


class Tag(Definition):
    """A tag without code, of customers, products or channels."""

    folder: ClassVar[str] = "tags"

    label: Label = Field(description="What marketers read")
    meaning: Label = Field(description="What the tag says, in a sentence")
    family: TagFamily = Field(description="Tag family under which it is shown")
    unit: Label | None = None
    of: Literal["customer", "product", "channel"] = "customer"
    kind: Kind | None = Field(default=None, description="Kind of value; by default boolean, for formulas number")
    formula: str | None = Field(
        default=None, description="A value from other tags, or from columns of the product table"
    )
    rule: Rule | None = Field(default=None, description="Yes for everyone whom the rule matches")
    tiers: Annotated[tuple[Tier, ...], BeforeValidator(several)] | None = Field(
        default=None, description="The value of the first tier whose rule matches"
    )
    otherwise: Value | None = Field(default=None, description="The value of those whom no tier matches")
    manual: Listing | None = Field(default=None, description="A list by hand")
    inferred: bool = Field(default=False, description="Whether the value is inferred; the meaning then says from what")
    words: dict[str, Label] = Field(default_factory=dict, description="What marketers read for each value of a text")

    @model_validator(mode="wrap")
    @classmethod
    def _collect(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return collected(cls, value, handler, _mistakes)

    @property
    def values(self) -> Kind:
        """The kind of the tag's values."""
        if self.kind is not None:
            return self.kind
        if self.formula is not None:
            return "number"
        if self.tiers is None:
            return "boolean"
        given = [tier.then for tier in self.tiers] + ([self.otherwise] if self.otherwise is not None else [])
        if all(isinstance(each, bool) for each in given):
            return "boolean"
        numeric = all(isinstance(each, int | float) and not isinstance(each, bool) for each in given)
        return "number" if numeric else "text"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that the tag asks, in order."""
        if self.tiers is not None:
            return tuple(tier.when for tier in self.tiers)
        return (self.rule,) if self.rule is not None else ()


def _mistakes(written: Mapping[str, object]) -> Iterator[Mistake]:
    """What is wrong beyond types: exactly one way that fits, a readable formula, tags alone in rules."""
    given = [way for way in _WAYS if written.get(way) is not None]
    if len(given) != 1:
        seen = f"there are {' and '.join(given)}" if given else "there is none"
        yield Mistake((), f"a tag is found in one way: {', '.join(_WAYS)}; {seen}")
    whose = str(written.get("of", "customer"))
    for way in given:
        if whose in _WAYS_OF and way not in _WAYS_OF[whose]:
            yield Mistake((way,), f"tags of a {whose} are given by {' or '.join(_WAYS_OF[whose])}, not by {way}")
    if written.get("otherwise") is not None and "tiers" not in given:
        yield Mistake(("otherwise",), "otherwise belongs to tiers")
    formula = written.get("formula")
    if isinstance(formula, str):
        try:
            parse_formula(formula)
        except Refused as error:
            yield Mistake(("formula",), str(error))
