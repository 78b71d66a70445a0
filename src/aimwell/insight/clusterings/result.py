"""What a clustering found: everything that a page or report shows, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from aimwell.core.text import Text
from aimwell.insight.clusterings.traits import Trait
from aimwell.insight.predictions.plain import Result
from aimwell.science.cluster.choice import ChoiceRow
from aimwell.science.metrics.interval import Estimate


@dataclass(frozen=True)
class FeatureShown:
    """A feature that the customers were grouped by."""

    name: str
    label: Text
    unit: Text
    kind: str
    meaning: Text


@dataclass(frozen=True)
class Level:
    """A group in one feature: mean and median in its unit, and how far from everybody in standard deviations."""

    feature: str
    mean: float
    median: float
    deviation: float


@dataclass(frozen=True)
class TraitShown:
    """A trait of a group with its figures in words; `named` if the group's name speaks of it."""

    trait: Trait
    label: Text
    text: Text
    named: bool


@dataclass(frozen=True)
class Group:
    """One group of customers.

    segment: how rules speak of it (`segment: ways_of_shopping.g1`).   colour: place in a palette, kept over fits.
    given: whether people named it in the definition.   overlap: mean Jaccard overlap with its likeness among resampled
    customers.   value: mean worth of a member.   rule: a shallow tree's shortest way to say who belongs, with the share
    of those it finds who do (precision), and of the members it finds (recall).
    """

    id: str
    segment: str
    colour: int
    name: Text
    given: bool
    description: Text
    people: int
    share: float
    overlap: float | None
    verdict: str
    verdict_text: Text
    value: Estimate | None
    value_share: float | None
    traits: tuple[TraitShown, ...]
    levels: tuple[Level, ...]
    rule: Text | None
    precision: float
    recall: float


@dataclass(frozen=True)
class ChoiceShown:
    """How the number of groups was chosen: the table of criteria, and the range that they support.

    k: within the range the most stable number, or that of the fit before.   by: the method whose groups were compared.
    natural: whether the groups stand apart by themselves.
    """

    k: int
    low: int
    high: int
    natural: bool
    by: str
    rows: tuple[ChoiceRow, ...]


@dataclass(frozen=True)
class StabilityShown:
    """How alike the groups come out among resampled customers: mean adjusted Rand index, middle 80 %, verdict."""

    agreement: float
    low: float
    high: float
    same_number: float
    verdict: str
    text: Text
    repetitions: int


@dataclass(frozen=True)
class Axis:
    """One direction of the map: its share of all differences between customers, and the features that make it."""

    share: float
    features: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Picture:
    """Sampled customers on two axes (principal components of the prepared features), without ids.

    x, y: place.   group: id of the group, empty for none.   axes: what lies left and right, below and above.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    group: tuple[str, ...]
    axes: tuple[Axis, Axis]
    people: int


@dataclass(frozen=True)
class WorthRow:
    """How much of a later outcome one way of grouping foretells, out of sample.

    r2: 1 all, 0 nothing, below 0 worse than one mean for everybody.   ahead: r2 minus that of RFM cells of equal
    number on the same customers; None for the cells themselves.   better: share of resamples in which it was ahead.
    """

    outcome: str
    outcome_label: Text
    grouping: str
    grouping_label: Text
    groups: int
    people: int
    r2: Estimate
    ahead: Estimate | None
    better: float | None


@dataclass(frozen=True)
class Worth:
    """What the groups explain of later spend and of the mix of categories, beside RFM cells of equal number.

    as_of: the instant at which the groups stood.   again: whether they were found again at an earlier instant, since
    nothing is known yet of what follows the fit.
    """

    as_of: str
    again: bool
    rows: tuple[WorthRow, ...]


@dataclass(frozen=True)
class Beside:
    """Groups of another method, as many: their sizes and how far they agree (adjusted Rand index, 1 the same)."""

    method: str
    label: Text
    agreement: float
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Continuity:
    """What became of the groups of the fit before.

    moved: share of the customers of both fits whose group is another now.   gone: ids of groups without a successor.
    """

    version: str
    moved: float
    gone: tuple[str, ...]
    fresh: tuple[str, ...]


@dataclass(frozen=True)
class ClusteringResult(Result):
    """One fit of a clustering.

    k: groups.   people: customers grouped.   left_out: customers who belong to no group.
    fidelity: share of the customers whom a shallow tree puts into their group: low means that no simple words fit.
    seconds: how long it took.
    """

    name: str
    label: Text
    kind: str
    version: str
    as_of: str
    method: tuple[str, ...]
    method_label: Text
    k: int
    people: int
    left_out: int
    people_label: Text
    value_label: Text | None
    features: tuple[FeatureShown, ...]
    choice: ChoiceShown | None
    stability: StabilityShown | None
    groups: tuple[Group, ...]
    picture: Picture
    continuity: Continuity | None
    fidelity: float
    worth: Worth | None = None
    beside: tuple[Beside, ...] = ()
    notes: tuple[Text, ...] = ()
    seconds: float = 0.0

    def group(self, id: str) -> Group:  # noqa: A002 (the domain's own word)
        """The group of that id; raises KeyError."""
        return next(group for group in self.groups if group.id == id)
