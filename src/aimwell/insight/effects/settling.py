"""Keeps what was learnt, and decides whether it is used: unless the version in use is proven better, it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aimwell.core.errors import AimwellError, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.effects.card import EffectCard
from aimwell.insight.effects.judging import MOST, Judgement
from aimwell.insight.effects.keeping import StoredEffect, effect_key, load_effect, save_effect
from aimwell.insight.effects.rows import Drawn
from aimwell.insight.predictions.judging import resamples_for
from aimwell.insight.predictions.life import champion, record
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.science.metrics.interval import Estimate
from aimwell.science.metrics.uplift_chance import QINI, uplift_difference
from aimwell.science.uplift.sample import Sample


@dataclass(frozen=True)
class HeldOut:
    """What was judged by models that never saw it.

    held: which rows were held out [n].   rest: these rows.   order: how the new learning ranks them [m, K].
    levels: the expected outcome in each arm, the control group first [m, K+1].
    campaign: which cut-off they are; None where they are a random share of the customers.
    """

    judged: tuple[Judgement, ...]
    said: Text
    held: BoolArray
    rest: Sample
    order: FloatArray
    levels: FloatArray
    campaign: int | None


def settle(
    workshop: Workshop, stored: StoredEffect, card: EffectCard, trial: HeldOut, found: Drawn, as_of: datetime, seed: int
) -> Text:
    """Keep a version, decide on its use, record both; returns why it is used or not.

    Two versions can be compared on a campaign that neither learnt from, for the same treatments, paired by customer.
    Without such a campaign the new one is used: it has learnt from all experiments there are.
    """
    name = effect_key(stored.effect)
    save_effect(workshop.folder, stored, card)
    figures = {judged.treatment: judged.qini.model for judged in trial.judged if judged.qini}
    record(workshop, name, stored.version, as_of, "trained", why="", metrics=figures)
    standing = champion(workshop, name)
    if standing == stored.version:
        return _SAME
    gaps = _compared(workshop, stored, standing, trial, found, seed) if standing else {}
    lost = [treatment for treatment, gap in gaps.items() if gap.high < 0]
    won = [treatment for treatment, gap in gaps.items() if gap.low > 0]
    stays = bool(lost) and not won
    why = (_FIRST if standing is None else _NEWER) if not gaps else _LOSES if stays else _WINS
    told = why.format(difference="; ".join(f"{treatment} {gap}" for treatment, gap in gaps.items())) if gaps else why
    record(workshop, name, stored.version, as_of, "kept" if stays else "promoted", why=told.en, metrics=gaps or None)
    return told


def _compared(
    workshop: Workshop, stored: StoredEffect, standing: str, trial: HeldOut, found: Drawn, seed: int
) -> dict[str, Estimate]:
    """By treatment the Qini coefficient of the new ranking minus that of the version in use; empty: no comparison."""
    try:
        former = load_effect(workshop.folder, stored.effect, standing)
    except AimwellError:  # a damaged or missing version cannot be better
        return {}
    cuts, rest = found.rows.cuts, trial.rest
    unseen = trial.campaign is not None and float(former.answers_until) <= cuts[trial.campaign].opens
    known = all(name in found.rows.table.column_names for name in former.model.encoding.names)
    same = former.model.treatments == stored.model.treatments and former.money == stored.money
    if not (unseen and known and same):
        return {}
    table = found.rows.table.take(np.flatnonzero(trial.held))
    theirs = former.model.choice.order(former.model.encoding.matrix(table))
    gaps: dict[str, Estimate] = {}
    for place, treatment in enumerate(stored.model.treatments):
        rows, chance = rest.versus(place + 1), rest.chance(place + 1)
        treated = rest.arm[rows] == place + 1
        try:
            gaps[treatment] = uplift_difference(
                QINI,
                trial.order[rows, place],
                theirs[rows, place],
                rest.outcome[rows],
                treated,
                probability=np.where(treated, chance[rows], 1 - chance[rows]),
                groups=None if rest.groups is None else rest.groups[rows],
                resamples=resamples_for(int(rows.sum()), MOST),
                seed=seed,
            ).difference
        except NotEnoughData:
            continue
    return gaps


_FIRST = Text("第一个版本，直接启用。", "The first version: put into use.")
_SAME = Text("与现用版本完全相同。", "The same as the version in use.")
_NEWER = Text(
    "没有两个版本都未学过的试验可供比较；新版本学过全部试验：启用。",
    "There is no experiment that neither had seen to compare them by; the new one has learnt from all: put into use.",
)
_WINS = Text(
    "在两者都未学过的试验上不差于现用版本（Qini 之差 {difference}）：启用。",
    "On an experiment that neither had seen, not worse than the version in use (difference of Qini {difference}): put "
    "into use.",
)
_LOSES = Text(
    "在两者都未学过的试验上不如现用版本（Qini 之差 {difference}）：保留现用版本。",
    "On an experiment that neither had seen, worse than the version in use (difference of Qini {difference}): that one "
    "stays.",
)
