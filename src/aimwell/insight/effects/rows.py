"""Gathers the people of each campaign: what was known on its eve, which arm they drew, and what they did after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Text
from aimwell.insight.effects.decided import dealt_lots, decided_cuts
from aimwell.insight.effects.definition import Effect
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.cutoffs import cut_offs_before
from aimwell.insight.predictions.rows import CutOff, Names, Rows, stack
from aimwell.insight.predictions.targets import answers, population
from aimwell.insight.predictions.training import chosen_columns, scoring_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.uplift.dispersion import forbidden_among, refuse_forbidden

_SEVERAL = Text(
    "活动“{campaign}”中有 {people} 位客户出现在多个分组，已剔除。",
    "{people} customers stand in several arms of the campaign {campaign!r}; they were left out.",
)
_STRANGE = Text(
    "活动“{campaign}”中有 {people} 位客户的分组不在定义之列，已剔除。",
    "{people} customers of the campaign {campaign!r} drew an arm that is not in the definition; they were left out.",
)


@dataclass(frozen=True)
class Drawn:
    """Everybody who took part in the lotteries.

    rows: features and outcomes, a cut-off for each campaign.   arm: place in `names` [n].
    probability: of each arm for each row [n, K+1].   columns: what may be learnt from; the other columns of the rows
    are only watched.   notes: who was left out, and why.
    """

    rows: Rows
    arm: IntArray
    probability: FloatArray
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    notes: tuple[Text, ...]


def drawn(definition: Effect, workshop: Workshop, as_of: datetime, progress: Progress = silent) -> Drawn:
    """The people of every campaign, or run of a decision, whose horizon was over at `as_of`.

    Raises BadQuestion when touches or decisions do not tell who got what, NotEnoughData when no campaign or run fits,
    or an arm is empty.
    """
    cuts = experiments(definition, workshop, as_of)
    columns = learnable(definition, workshop, as_of)
    watched = _watched(definition, workshop, as_of, columns)
    parts: list[_Part] = []
    for index, cut in enumerate(cuts):
        progress(f"features as of {cut.name}", index / len(cuts))
        parts.append(_part(definition, workshop, cut, (*columns, *watched)))
    return Drawn(
        stack([part.rows for part in parts]),
        np.concatenate([part.arm for part in parts]),
        np.concatenate([part.probability for part in parts]),
        definition.treatment.names,
        columns,
        tuple(note for part in parts for note in part.notes),
    )


def experiments(definition: Effect, workshop: Workshop, as_of: datetime) -> list[CutOff]:
    """The eves of the campaigns, or the runs of the decision, whose horizon was over at `as_of`, oldest first.

    Raises BadQuestion when touches or decisions do not tell who got what, NotEnoughData when no horizon is over.
    """
    if definition.treatment.decision is not None:
        return decided_cuts(definition, workshop, as_of)
    _refuse_silent(definition, workshop, as_of)
    return cut_offs_before(definition.question(), workshop.history(as_of), workshop.warehouse.last_instant())


def _refuse_silent(definition: Effect, workshop: Workshop, as_of: datetime) -> None:
    """Touches must tell who got what."""
    treatment, history = definition.treatment, workshop.history(as_of)
    for column in (treatment.arm, *(["probability"] if treatment.logged else [])):
        if not history.has("touch", column):
            raise BadQuestion(
                f"{definition.name}: the touches do not tell who got what",
                expected=f"the column touch.{column}",
                seen="none",
                remedy=f"Load touch.{column}, or name another column under `treatment`.",
            )


def learnable(definition: Effect, workshop: Workshop, as_of: datetime) -> tuple[Column, ...]:
    """The features that effects may be learnt from: those chosen, without forbidden attributes.

    Raises BadQuestion when the definition asks for a forbidden attribute by its name.
    """
    refuse_forbidden([name for name in definition.features.include if "*" not in name], definition.forbidden)
    columns = chosen_columns(definition.question(), workshop, workshop.history(as_of))
    banned = set(forbidden_among([column.name for column in columns], definition.forbidden))
    found = tuple(column for column in columns if column.name not in banned)
    if not found:
        raise NotEnoughData(
            f"{definition.name}: only forbidden attributes are left to learn from", remedy="Include other features."
        )
    return found


@dataclass(frozen=True)
class _Part:
    rows: Rows
    arm: IntArray
    probability: FloatArray
    notes: tuple[Text, ...]


def _watched(
    definition: Effect, workshop: Workshop, as_of: datetime, columns: tuple[Column, ...]
) -> tuple[Column, ...]:
    """The columns by whose groups offers are reported, which may well be forbidden to learn from."""
    named = [*definition.watch, *([definition.depths.price_tag] if definition.depths else [])]
    wanted = [name for name in dict.fromkeys(named) if name and name not in {column.name for column in columns}]
    return tuple(workshop.features(as_of).columns(wanted)) if wanted else ()


def _part(definition: Effect, workshop: Workshop, cut: CutOff, columns: tuple[Column, ...]) -> _Part:
    question, engine, history = definition.question(), workshop.warehouse.engine, workshop.history(cut.instant)
    by_touches = definition.treatment.decision is None
    drawing = _touched(definition, workshop, cut) if by_touches else dealt_lots(definition, workshop, cut)
    with workshop.passing(f"drawn_{definition.name}") as people:
        engine.create_scratch_as(people, population(question, workshop, history))
        asked = engine.to_arrow(exp.select("customer_id").from_(exp.to_table(people)))
        taking = drawing.taking(asked.column("customer_id").to_pylist())
        if not taking:
            told = f"touches whose {definition.treatment.arm} is" if by_touches else "decided:"
            raise NotEnoughData(
                f"{definition.name}: nobody of the population took part in {cut.name!r}",
                expected=f"{told} one of {', '.join(definition.treatment.names)}",
                seen="none",
                remedy="Check the names of the arms and the population.",
            )
        rows = scoring_rows(question, workshop, cut.instant, columns, customers=taking)
        truth = answers(question, workshop, cut, people, rows.customers)
    arm, probability = drawing.placed(rows.customers)
    return _Part(replace(rows, truth=truth, cuts=(cut,)), arm, probability, drawing.notes)


@dataclass(frozen=True)
class _Touched:
    """Who got what by the touches of a campaign.

    lots: arm of each customer whom the campaign touched, and the logged probability of it; no arm: to be left out.
    """

    definition: Effect
    lots: Mapping[str, tuple[str, float | None]]
    notes: tuple[Text, ...]

    def taking(self, asked: Sequence[str]) -> list[str]:
        """Those of the population who took part."""
        untouched, lots = self.definition.treatment.untouched, self.lots
        return [who for who in asked if (who in lots and lots[who][0]) or (untouched and who not in lots)]

    def placed(self, customers: Names) -> tuple[IntArray, FloatArray]:
        """Arm [n] and probabilities of all arms [n, K+1] of those who took part."""
        treatment = self.definition.treatment
        place = {name: index for index, name in enumerate(treatment.names)}
        given = [self.lots.get(str(who), (treatment.control, None)) for who in customers]
        arm = np.array([place[name] for name, _ in given], dtype=np.int64)
        if not treatment.logged:
            return arm, np.tile([treatment.arms[name] for name in treatment.names], (len(arm), 1))
        absent = sum(chance is None for _, chance in given)
        if absent:
            raise BadQuestion(
                f"{self.definition.name}: touches lack the probability of their arm",
                expected="touch.probability for everybody",
                seen=f"none for {absent:,} customers",
                remedy="Log the probabilities, or write them under `arms` and leave out `logged`.",
            )
        received = np.array([chance for _, chance in given], dtype=np.float64)
        control = np.where(arm == 0, received, 1 - received)
        return arm, np.column_stack([control, 1 - control])


def _touched(definition: Effect, workshop: Workshop, cut: CutOff) -> _Touched:
    treatment = definition.treatment
    of_campaign = exp.EQ(this=exp.column("campaign"), expression=exp.Literal.string(cut.name))
    wanted = ["customer_id", treatment.arm, *(["probability"] if treatment.logged else [])]
    query = exp.select(*wanted).from_("touch").where(of_campaign)
    history = workshop.history(cut.instant)
    found = history.engine.to_arrow(history.horizon(definition.horizon_days).bind(query))
    arms: dict[str, set[str]] = {}
    chances: dict[str, float | None] = {}
    for row in found.to_pylist():
        customer = str(row["customer_id"])
        arms.setdefault(customer, set()).add(str(row[treatment.arm]))
        logged = row.get("probability")
        chances[customer] = None if logged is None else float(logged)
    several = {who for who, names in arms.items() if len(names) > 1}
    named = {*treatment.names}
    strange = {who for who, names in arms.items() if who not in several and not names <= named}
    notes = [
        text.format(campaign=cut.name, people=f"{len(who):,}")
        for text, who in ((_SEVERAL, several), (_STRANGE, strange))
        if who
    ]
    left_out = several | strange
    kept = {who: (next(iter(names)), chances[who]) for who, names in arms.items() if who not in left_out}
    # Known to the campaign but left out: they are not part of an untouched control group either.
    return _Touched(definition, kept | dict.fromkeys(left_out, ("", None)), tuple(notes))
