"""The workshop in which predictions are made: the warehouse, the features to learn from, and where models are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aimwell.core.rules import Rule
from aimwell.insight.features.build import Features
from aimwell.insight.features.families.value_course import EXPECTED_VALUE
from aimwell.insight.features.library import Library
from aimwell.insight.predictions.expected import last_expected
from aimwell.insight.rules.context import RuleContext
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.warehouse import Warehouse

VALUE_PREDICTION = "value_prediction"
"""The setting that names the prediction of an amount behind the course of value."""


@dataclass(frozen=True)
class Workshop:
    """What every verb of predictions works with.

    folder: the workspace, in which models and flat files lie.   version: what the loaded data are known by.
    segments: rules of segments that populations and targets speak of.   about: where the data come from, for cards.
    """

    warehouse: Warehouse
    library: Library
    folder: Path
    version: str = ""
    segments: Mapping[str, Rule] = field(default_factory=dict)
    about: str = ""
    _features: dict[datetime, Features] = field(default_factory=dict, repr=False)

    def history(self, as_of: datetime) -> History:
        """Everything known before the instant."""
        return self.warehouse.history(as_of)

    def features(self, as_of: datetime, given: Mapping[str, str] | None = None) -> Features:
        """The features as of the instant, built once for all predictions that ask at it.

        given: physical tables of relations that are part of the question, such as the goods of a campaign.
        """
        if given:
            return Features(self.history(as_of), self.library, self.version, given)
        if as_of not in self._features:
            self._features[as_of] = Features(self.history(as_of), self.library, self.version)
        return self._features[as_of]

    def described(self, as_of: datetime, prediction: str | None = None) -> Features:
        """The features as of the instant with those that follow from scores, as profiles and segments show them.

        They are apart from those that predictions learn from, so that no prediction learns from itself.
        prediction: whose amounts the course of value compares; by default the workspace's setting `value_prediction`.
        """
        chosen = prediction or str(self.warehouse.settings.get(VALUE_PREDICTION, ""))
        table = last_expected(self.warehouse.engine, chosen, as_of, self.version) if chosen else None
        return self.features(as_of, {EXPECTED_VALUE: table}) if table else self.features(as_of)

    def rules(self, as_of: datetime) -> RuleContext:
        """What rules may speak of as of the instant."""
        return RuleContext(self.features(as_of), self.segments)

    @contextmanager
    def passing(self, name: str) -> Iterator[str]:
        """The name of a physical table that is dropped when the block ends."""
        physical = f"passing_{name}"
        try:
            yield physical
        finally:
            self.warehouse.engine.drop(physical)
