"""The rule tree: who is meant, as `all`, `any` and `not` over what is known of customers, told apart by its key.

A rule is written in YAML and answers yes or no for every customer at an instant:

    all:
      - attribute: income_band
        in: [50-74K, 75-99K]
      - purchases: {within: 28d, category: COFFEE, count: {at_least: 2}}
      - not: {segment: staff}

**Unknown is not no, and not yes.** A comparison with an unknown value is not met, whichever way it points: a customer
without a gender is neither in `is: male` nor in `is_not: male`; `known: false` asks for exactly these. `not:` is the
complement: everyone whom the rule inside does not match, and so also those of whom it cannot be told. Write
`is_not` / `not_in` to leave out the unknown, `not:` to include them. Counting nothing is known: it gives 0.

**Windows** look back from the instant: `within: 28d` is the 28 local days before it, `since: 90d` with `until: 30d` the
days between, and dates are local midnights (`until` is exclusive). Whole days (72h too) follow the clock on the wall
across daylight saving, other lengths are elapsed time. In the label of a prediction the window is the horizon, and
`within: 7d` its first 7 days.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from aimwell.core.comparisons import (
    Bounds,
    Comparison,
    Duration,
    Part,
    Path,
    Portion,
    Window,
    Word,
    Words,
    comparisons,
    equality,
    several,
)
from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem


class PurchaseMatch(Part):
    """Which purchases are meant: of which products, on which channel, at which place."""

    category: Words | None = Field(default=None)
    subcategory: Words | None = Field(default=None)
    department: Words | None = Field(default=None)
    brand: Words | None = Field(default=None)
    product: Words | None = Field(default=None, description="product ids")
    tag: Words | None = Field(default=None, description="tags that products carry: premium, or band=high for a value")
    channel: Words | None = Field(default=None)
    place: Words | None = Field(default=None)


class EventMatch(Part):
    """Which events are meant: their name, channel and properties."""

    name: Words = Field(description="name of the event, or several")
    channel: Words | None = Field(default=None)
    where: Mapping[Annotated[str, Field(pattern=r"^\w+$")], Annotated[Comparison, BeforeValidator(equality)]] = Field(
        default_factory=dict, description="conditions on properties, such as {plan: gold} or {price: {above: 5}}"
    )


class TouchMatch(Part):
    """Which contacts are meant."""

    campaign: Words | None = Field(default=None)
    journey: Words | None = Field(default=None)
    channel: Words | None = Field(default=None)
    offer: Words | None = Field(default=None)


class OutcomeMatch(TouchMatch):
    """Which outcomes are meant: their kind, and of which contacts."""

    kind: Words | None = Field(default=None, description="opened, clicked, redeemed, unsubscribed, …")


class PurchaseFacts(PurchaseMatch, Window):
    """How often, for how much, and how many products were bought; nothing bought counts 0."""

    count: Bounds | None = Field(default=None, description="orders, returns not counted; by default at least 1")
    amount: Bounds | None = Field(default=None, description="amount paid, returns deducted")
    products: Bounds | None = Field(default=None, description="distinct products bought")


class EventFacts(EventMatch, Window):
    """How often something happened; never counts 0."""

    count: Bounds | None = Field(default=None, description="events; by default at least 1")


class TouchFacts(TouchMatch, Window):
    """How often a customer was contacted."""

    count: Bounds | None = Field(default=None, description="contacts; by default at least 1")


class OutcomeFacts(OutcomeMatch, Window):
    """How often contacts had an outcome."""

    count: Bounds | None = Field(default=None, description="outcomes; by default at least 1")


class PurchaseStep(Part):
    """A step of a sequence: a purchase."""

    purchases: PurchaseMatch


class EventStep(Part):
    """A step of a sequence: an event."""

    events: EventMatch


class TouchStep(Part):
    """A step of a sequence: a contact."""

    touches: TouchMatch


class OutcomeStep(Part):
    """A step of a sequence: an outcome of a contact."""

    outcomes: OutcomeMatch


def _key_of(value: object, kinds: Mapping[str, type[BaseModel]]) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__
    found = [key for key in kinds if isinstance(value, Mapping) and key in value]
    return kinds[found[0]].__name__ if len(found) == 1 else None


def _recognised(value: object, kinds: Mapping[str, type[BaseModel]], what: str) -> object:
    """Refuses what is not exactly one of the kinds, in words."""
    if isinstance(value, BaseModel):
        return value
    known = ", ".join(kinds)
    if not isinstance(value, Mapping):
        raise ValueError(f"expected {what} (one of {known}), saw {value!r}")
    found = [key for key in kinds if key in value]
    if not found:
        close = [match for key in value for match in difflib.get_close_matches(str(key), list(kinds), 1)]
        hint = f"did you mean {close[0]!r}?" if close else f"one of {known}"
        raise ValueError(f"expected {what}, saw {', '.join(map(repr, value)) or 'nothing'} ({hint})")
    if len(found) > 1:
        raise ValueError(f"{what} has one of these keys, saw {' and '.join(found)} (put them under all: or any:)")
    return value


STEPS: Mapping[str, type[BaseModel]] = {
    "purchases": PurchaseStep,
    "events": EventStep,
    "touches": TouchStep,
    "outcomes": OutcomeStep,
}
Step: TypeAlias = Annotated[
    Annotated[PurchaseStep, Tag("PurchaseStep")]
    | Annotated[EventStep, Tag("EventStep")]
    | Annotated[TouchStep, Tag("TouchStep")]
    | Annotated[OutcomeStep, Tag("OutcomeStep")],
    Discriminator(lambda value: _key_of(value, STEPS)),
    BeforeValidator(lambda value: _recognised(value, STEPS, "a step")),
]


def _two_or_more(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) < 2:
        raise ValueError("a sequence has at least two steps")
    return value


class Steps(Window):
    """First one thing, later another: each step strictly after the one before it, all inside the window."""

    steps: Annotated[tuple[Step, ...], BeforeValidator(_two_or_more)]
    span: Duration | None = Field(default=None, description="at most so long from the first step to the last")


class AllOf(Part):
    """Everyone whom all of the rules match."""

    all: Annotated[tuple[Rule, ...], BeforeValidator(several)]


class AnyOf(Part):
    """Everyone whom at least one of the rules matches."""

    any: Annotated[tuple[Rule, ...], BeforeValidator(several)]


class Not(Part):
    """Everyone whom the rule does not match, the unknown included."""

    not_: Rule = Field(alias="not")


class AttributeIs(Comparison):
    """What is known of the customer, in any column of the customer table, own ones too."""

    attribute: Word
    within: Duration | None = Field(default=None, description="for dates and instants: in the last so many days")
    plain: ClassVar[bool] = False

    @model_validator(mode="after")
    def _compares(self) -> AttributeIs:
        if self.within is None and not comparisons(self):
            raise ValueError("say what the attribute is: is, in, at_least, known, …")
        return self


class TagIs(Comparison):
    """A tag (feature) of the customer."""

    tag: Word


class ScoreIs(Bounds):
    """The latest score of a prediction: its value (a probability, or an expected amount), or its rank."""

    score: Word
    top: Portion | None = Field(default=None, description="the best-scored 10% or 5000 customers")
    bottom: Portion | None = Field(default=None, description="the worst-scored 10% or 5000 customers")

    @model_validator(mode="after")
    def _cuts(self) -> ScoreIs:
        if self.top is None and self.bottom is None and not comparisons(self):
            raise ValueError("say where to cut: top: 10%, bottom: 10%, at_least: 0.3, …")
        return self


class MemberOf(Part):
    """The members of another segment."""

    segment: Word


class Purchases(Part):
    """What was bought."""

    purchases: PurchaseFacts


class Events(Part):
    """What happened."""

    events: EventFacts


class Touches(Part):
    """How the customer was contacted."""

    touches: TouchFacts


class Outcomes(Part):
    """What came of contacts."""

    outcomes: OutcomeFacts


class InSequence(Part):
    """What happened in which order."""

    sequence: Steps


class Manual(Part):
    """Customers listed by hand."""

    manual: Words


KINDS: Mapping[str, type[BaseModel]] = {
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
    "attribute": AttributeIs,
    "tag": TagIs,
    "score": ScoreIs,
    "segment": MemberOf,
    "purchases": Purchases,
    "events": Events,
    "touches": Touches,
    "outcomes": Outcomes,
    "sequence": InSequence,
    "manual": Manual,
}
Leaf: TypeAlias = (
    AttributeIs | TagIs | ScoreIs | MemberOf | Purchases | Events | Touches | Outcomes | InSequence | Manual
)
Rule: TypeAlias = Annotated[
    Annotated[AllOf, Tag("AllOf")]
    | Annotated[AnyOf, Tag("AnyOf")]
    | Annotated[Not, Tag("Not")]
    | Annotated[AttributeIs, Tag("AttributeIs")]
    | Annotated[TagIs, Tag("TagIs")]
    | Annotated[ScoreIs, Tag("ScoreIs")]
    | Annotated[MemberOf, Tag("MemberOf")]
    | Annotated[Purchases, Tag("Purchases")]
    | Annotated[Events, Tag("Events")]
    | Annotated[Touches, Tag("Touches")]
    | Annotated[Outcomes, Tag("Outcomes")]
    | Annotated[InSequence, Tag("InSequence")]
    | Annotated[Manual, Tag("Manual")],
    Discriminator(lambda value: _key_of(value, KINDS)),
    BeforeValidator(lambda value: _recognised(value, KINDS, "a rule")),
]
AllOf.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()
_RULE: TypeAdapter[Any] = TypeAdapter(Rule)


def parse_rule(value: object, *, place: str = "rule") -> Rule:
    """A rule from plain values, as YAML gives them.

    Raises BadDefinition with every mistake in it.
    >>> parse_rule({"tag": "spend_84d", "at_least": 500}).tag
    'spend_84d'
    """
    try:
        rule: Rule = _RULE.validate_python(value)
    except ValidationError as error:
        raise BadDefinition(
            [
                Problem(place, None, ".".join(_steps(m["loc"])), m["msg"].removeprefix("Value error, "))
                for m in error.errors()
            ]
        ) from error
    return rule


def plain_rule(rule: Rule) -> dict[str, Any]:
    """The plain values of a rule, ready to be written as YAML; `parse_rule` gives the same rule back."""
    kept: dict[str, Any] = _plain(rule.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True))
    return kept


def _plain(value: Any) -> Any:  # noqa: ANN401 (plain values of YAML)
    """Lists for tuples, and in every mapping the key first that tells what it is."""
    if isinstance(value, Mapping):
        ordered = sorted(value, key=lambda key: key not in KINDS)
        return {key: _plain(value[key]) for key in ordered}
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value


def leaves(rule: Rule, path: Path = ()) -> Iterator[tuple[Path, Leaf]]:
    """The leaves of a rule from left to right, each with its place in it."""
    if isinstance(rule, AllOf):
        for index, part in enumerate(rule.all):
            yield from leaves(part, (*path, "all", index))
    elif isinstance(rule, AnyOf):
        for index, part in enumerate(rule.any):
            yield from leaves(part, (*path, "any", index))
    elif isinstance(rule, Not):
        yield from leaves(rule.not_, (*path, "not"))
    else:
        yield path, rule


def segments_of(rule: Rule) -> list[str]:
    """The segments that a rule speaks of, each once, in order of appearance."""
    return list(dict.fromkeys(leaf.segment for _, leaf in leaves(rule) if isinstance(leaf, MemberOf)))


def tags_of(rule: Rule) -> list[str]:
    """The tags that a rule speaks of, each once, in order of appearance."""
    return list(dict.fromkeys(leaf.tag for _, leaf in leaves(rule) if isinstance(leaf, TagIs)))


def predictions_of(rule: Rule) -> list[str]:
    """The predictions whose scores a rule reads, each once, in order of appearance."""
    return list(dict.fromkeys(leaf.score for _, leaf in leaves(rule) if isinstance(leaf, ScoreIs)))


def _steps(loc: Path) -> Iterator[str]:
    """The keys of a place, without the names of the classes that pydantic puts between them."""
    classes = {kind.__name__ for kind in (*KINDS.values(), *STEPS.values())}
    return (str(step) for step in loc if step not in classes)
