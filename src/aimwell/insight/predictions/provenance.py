"""Where the answers come from: tables without time, and whether chance decided who was contacted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from aimwell.core.text import Text
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.findings import Finding
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.history import History

NOT_RANDOM = Text(
    "历史上的联系对象不是随机选择的：这里的响应率不能当作营销的效果，也不适用于从未被联系的人群。",
    "Who was contacted was not chosen at random: response rates here are no effect of the mailing, and say nothing "
    "about kinds of people who were never contacted.",
)
TIMELESS = Text(
    "这些表没有说明何时得知，其当前值被当作一直已知：{tables}",
    "These tables do not say since when they are known, so today's values count as always known: {tables}",
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """timeless: loaded tables that do not say since when they are known.   contacted: whether the answers are those of
    contacts.   randomised: whether every contact says with which probability it was chosen.
    """

    timeless: tuple[str, ...] = ()
    contacted: bool = False
    randomised: bool = False

    def limits(self) -> tuple[Text, ...]:
        """What follows for the use of the figures."""
        found: list[Text] = []
        if self.contacted and not self.randomised:
            found.append(NOT_RANDOM)
        if self.timeless:
            found.append(TIMELESS.format(tables=", ".join(self.timeless)))
        return tuple(found)

    def findings(self) -> tuple[Finding, ...]:
        """The same as the guard says it."""
        found: list[Finding] = []
        if self.contacted and not self.randomised:
            found.append(Finding("not_random", "note", NOT_RANDOM))
        if self.timeless:
            found.append(Finding("timeless", "note", TIMELESS.format(tables=", ".join(self.timeless))))
        return tuple(found)


def provenance(definition: Prediction, workshop: Workshop, as_of: datetime) -> Provenance:
    """Where the answers to a question come from; nothing is said of flat files."""
    if definition.flat is not None:
        return Provenance()
    history = workshop.history(as_of)
    contacted = definition.cut_offs.by == "campaign"
    return Provenance(tuple(history.timeless), contacted, contacted and _randomised(history))


def _randomised(history: History) -> bool:
    """Whether every contact says with which probability it was chosen, so that chance decided at all."""
    if not history.has("touch", "probability"):
        return False
    unknown = exp.Is(this=exp.column("probability"), expression=exp.null())
    count = exp.alias_(exp.Count(this=exp.Star()), "n")
    return int(history.to_arrow(exp.select(count).from_("touch").where(unknown)).column("n")[0].as_py()) == 0
