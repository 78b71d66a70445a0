"""What Aimwell's own decisions drew by lot: who got what, and the probability of each arm, from the table `decision`.

Exploring deals each option to as many customers as any other among those who may get the same; the rest get what is
best. So the row of a customer tells the probability of every option: that of the choice is logged, the options that
lots deal are named, and so is the one that would have been given without a lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import add_days, from_store, local_day, parse_instant, to_store
from aimwell.insight.effects.definition import Effect
from aimwell.insight.predictions.cutoffs import closes_after, to_seconds
from aimwell.insight.predictions.rows import CutOff, Names
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.store.warehouse.cut import instant_literal

TABLE = "decision"
NOTHING = "nothing"
_NEEDED = ("treatment", "probability", "held_out", "best", "dealt")
_CERTAIN = Text(
    "决策“{run}”中有 {people} 位客户的分组不是抽签决定的，已剔除。",
    "{people} customers of the decision {run} could not have been given every arm by lot; they were left out.",
)


@dataclass(frozen=True)
class Dealt:
    """Who got which arm, and with which probability each could have been got; by customer.

    arm: place among the arms, the control group first.   chances: of each arm [K+1].   notes: who was left out.
    """

    arm: Mapping[str, int]
    chances: Mapping[str, FloatArray]
    notes: tuple[Text, ...]

    def taking(self, asked: Sequence[str]) -> list[str]:
        """Those of the population who took part."""
        return [who for who in asked if who in self.arm]

    def placed(self, customers: Names) -> tuple[IntArray, FloatArray]:
        """Arm [n] and probabilities of all arms [n, K+1] of those who took part."""
        arm = np.array([self.arm[str(who)] for who in customers], dtype=np.int64)
        return arm, np.array([self.chances[str(who)] for who in customers])


def decided_cuts(definition: Effect, workshop: Workshop, as_of: datetime) -> list[CutOff]:
    """The runs of the decision that drew something by lot and whose horizon was over at the instant, oldest first.

    Raises NotEnoughData when nothing was decided with its probabilities, no horizon is over, or nothing was drawn.
    """
    decision, engine, zone = str(definition.treatment.decision), workshop.warehouse.engine, workshop.warehouse.zone
    if TABLE not in engine.tables() or not {*_NEEDED} <= set(engine.columns(TABLE)):
        raise NotEnoughData(
            f"{definition.name}: nothing was decided yet by {decision!r} with its probabilities",
            remedy=f"Run `aimwell decide {decision}` with `explore` above 0, and wait for the horizon.",
        )
    drew = exp.NEQ(this=exp.column("dealt"), expression=exp.Literal.string(""))
    runs = _runs(workshop, decision, drew)
    if not runs and _runs(workshop, decision):
        raise _nothing_drawn(definition, "any of its runs")
    last = workshop.warehouse.last_instant()
    seen = min(as_of, parse_instant(local_day(add_days(last, 1, zone), zone), zone))
    question, history = definition.question(), workshop.history(as_of)
    closed = [(run, closes_after(question, run, history)) for run in runs]
    found = [
        CutOff(_name(run, zone), to_seconds(run), to_seconds(close), run) for run, close in closed if close <= seen
    ]
    if not found:
        raise NotEnoughData(
            f"{definition.name}: no run of the decision {decision!r} has its answer by {local_day(seen, zone)}",
            expected=f"a run {definition.horizon_days} days before the last facts",
            seen=f"{len(runs)} later runs",
            remedy="Wait, load newer facts, or shorten the horizon.",
        )
    return found


def dealt_lots(definition: Effect, workshop: Workshop, cut: CutOff) -> Dealt:
    """The arms of one run, and their probabilities given that one of these arms was got.

    Those held out are always the same people, and are left out; so is everybody for whom an arm was certain or
    impossible.   Raises NotEnoughData when nothing was drawn by lot among these arms.
    """
    names = definition.treatment.names
    when = exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(cut.instant)))
    query = exp.select("customer_id", *_NEEDED).from_(TABLE)
    query = query.where(_named(str(definition.treatment.decision)), when, _known("best"))
    rows = workshop.warehouse.engine.to_arrow(query.order_by("customer_id")).to_pylist()
    arm: dict[str, int] = {}
    chances: dict[str, FloatArray] = {}
    certain = 0
    for row in rows:
        if row["held_out"] or row["treatment"] not in names:
            continue
        every = _chances(row["treatment"], row["probability"], row["best"], str(row["dealt"]).split())
        ours = np.array([every.get(name, 0.0) for name in names])
        if ours.min() <= 0:
            certain += 1
            continue
        arm[str(row["customer_id"])] = names.index(row["treatment"])
        chances[str(row["customer_id"])] = ours / ours.sum()
    if not arm:
        raise _nothing_drawn(definition, cut.name)
    left_out = (_CERTAIN.format(run=cut.name, people=f"{certain:,}"),) if certain else ()
    return Dealt(arm, chances, left_out)


def _chances(chosen: str, probability: float, best: str, dealt: Sequence[str]) -> dict[str, float]:
    """The probability of every option, from that of the one that was chosen.

    >>> _chances("call", 0.1, "letter", ["letter", "call"])
    {'nothing': 0.1, 'letter': 0.8, 'call': 0.1}
    """
    options = [NOTHING, *dealt] if dealt else []
    others = [each for each in options if each != best]
    lot = probability if chosen != best else (1.0 - probability) / len(others) if others else 0.0
    found = dict.fromkeys(options, lot)
    found[best] = 1.0 - lot * len(others)
    return found


def _runs(workshop: Workshop, decision: str, *conditions: exp.Expr) -> list[datetime]:
    query = exp.select("as_of").distinct().from_(TABLE).where(_named(decision), _known("best"), *conditions)
    found = workshop.warehouse.engine.to_arrow(query.order_by("as_of"))
    return [from_store(each) for each in found.column("as_of").to_pylist()]


def _nothing_drawn(definition: Effect, when: str) -> NotEnoughData:
    return NotEnoughData(
        f"{definition.name}: nothing was drawn by lot between {', '.join(definition.treatment.names)} in {when}",
        expected="customers who could have got each of them",
        seen="none",
        remedy="Set `explore` above 0 in the decision, and name only treatments that the same people may get.",
    )


def _name(run: datetime, zone: ZoneInfo) -> str:
    """The local day of a run, with the time if it was not midnight."""
    local = run.astimezone(zone)
    return f"{local:%Y-%m-%d}" if (local.hour, local.minute) == (0, 0) else f"{local:%Y-%m-%d %H:%M}"


def _named(decision: str) -> exp.Expr:
    return exp.EQ(this=exp.column("decision"), expression=exp.Literal.string(decision))


def _known(column: str) -> exp.Expr:
    return exp.Not(this=exp.Is(this=exp.column(column), expression=exp.null()))
