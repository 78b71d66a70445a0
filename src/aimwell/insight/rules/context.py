"""What rules may read besides the canonical tables: tags, scores and memberships, as known at the cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aimwell.core.errors import BadQuestion
from aimwell.core.rules import Rule, tags_of
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import Column, Family
from aimwell.store.warehouse.history import History, Horizon

View = History | Horizon


@dataclass(frozen=True)
class RuleContext:
    """Where a rule finds tags, scores and segments.

    features: tags as of the cut of the view that the rule is bound to.
    segments: rules of other segments by name, evaluated at that cut.
    members: physical tables (one column `customer_id`) of segments whose members at that very cut are already known;
    they go before `segments`. A segment in neither is looked up in the recorded memberships, as known at the cut.
    batch: older features for tags whose family needs everyone (`batch`), when `features` hold a few customers only.
    scores, changes, builds: physical tables of recorded scores, of membership changes, and of when segments were built.
    """

    features: Features
    segments: Mapping[str, Rule] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    batch: Features | None = None
    scores: str = "score"
    changes: str = "membership_delta"
    builds: str = "segment_run"

    def prepare(self, rule: Rule) -> None:
        """Build the families of all tags of a rule together, so that what they share is read once."""
        families = {family.name: family for family in map(self.features.library.owner, tags_of(rule))}
        for features, batch in ((self.features, False), (self.batch, True)):
            if features is not None:
                features.prepare([f for f in families.values() if (self._is_batch(f)) is batch])

    def _is_batch(self, family: Family) -> bool:
        return self.batch is not None and family.freshness == "batch"

    def tag(self, name: str, view: View) -> tuple[Column, str | None]:
        """The tag and the physical table that holds it at the cut; None if the data cannot carry it.

        Raises BadQuestion for an unknown tag, and if the features stand at another instant than the view.
        """
        family = self.features.library.owner(name)
        features = self.batch if self.batch is not None and self._is_batch(family) else self.features
        seen = features.history.as_of
        if seen != view.as_of and (features is self.features or seen > view.as_of):
            raise BadQuestion(
                f"The tag {name!r} is known as of {seen.isoformat()}",
                expected=f"the instant of the rule, {view.as_of.isoformat()}",
                remedy="Build Features on the history at that instant.",
            )
        column = self.features.library.column(name)
        return column, features.table(family) if column in features.available(family) else None
