"""Learns an effect: judge on people held out, then learn from everybody, keep the model, and write its card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.core.progress import Progress, part, silent
from aimwell.core.rules import plain_rule
from aimwell.core.text import Text
from aimwell.insight.effects.card import EffectCard, Spread
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.depths import DepthReport, depth_report, personal_depths
from aimwell.insight.effects.groups import groups_of
from aimwell.insight.effects.judging import judge_effect
from aimwell.insight.effects.keeping import StoredEffect, effect_key
from aimwell.insight.effects.model import Answers, EffectModel
from aimwell.insight.effects.past_depths import past_depths
from aimwell.insight.effects.rows import Drawn, drawn
from aimwell.insight.effects.settling import HeldOut, settle
from aimwell.insight.predictions.encoding import Encoding, learn_encoding
from aimwell.insight.predictions.life import champion
from aimwell.insight.predictions.making import recorded
from aimwell.insight.predictions.models import version_name
from aimwell.insight.predictions.reasons import Speaker, typical_values
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.science.uplift.choice import choose
from aimwell.science.uplift.dispersion import dispersion, forbidden_among
from aimwell.science.uplift.doubt import APART, doubt
from aimwell.science.uplift.learner import learner
from aimwell.science.uplift.levels import crossed_levels, level_models
from aimwell.science.uplift.regions import regions
from aimwell.science.uplift.sample import Sample, sample_of
from aimwell.science.uplift.trees import GROWTH, Growth


@dataclass(frozen=True)
class TrainedEffect:
    """What a training made: the new version, its card, the model behind it; which version is in use now, and why."""

    version: str
    card: EffectCard
    model: EffectModel
    in_use: str
    why: Text


def train_effect(
    definition: Effect,
    workshop: Workshop,
    as_of: datetime,
    *,
    growth: Growth = GROWTH,
    seed: int = 0,
    progress: Progress = silent,
) -> TrainedEffect:
    """Learn whom a treatment changes, from every campaign whose horizon was over at `as_of`; keep it, and use it.

    Judged first on people held out (the last campaign, or a random share of the customers when there is one only), by
    models that never saw them; then learnt anew from everybody and kept. The version in use stays only when it is
    proven better on a campaign that neither had seen. When training fails it stays too; both are recorded.
    growth: how trees grow, the same for judging and for use.
    Raises NotEnoughData for an arm that nobody got or an outcome that nobody had, BadQuestion for touches that do not
    tell who got what.
    """
    with recorded(effect_key(definition.name), workshop, as_of):
        found = drawn(definition, workshop, as_of, part(progress, 0.0, 0.4))
        _refuse_idle(definition, found.rows)
        encoding = learn_encoding(found.rows.table, found.columns)
        sample = _sample(found, encoding)
        trial = _judge(definition, found, sample, growth, seed, part(progress, 0.4, 0.7))
        learning = part(progress, 0.7, 0.95)
        choice = choose(sample, growth=growth, alpha=definition.false_alarm, seed=seed, progress=learning)
        model = EffectModel(encoding, choice, doubt(sample, growth=growth, seed=seed))
        card = _card(definition, found, model, trial, as_of, seed)
        card = replace(card, past=past_depths(definition, workshop, as_of))
        stored = _stored(definition, found, model, card.version)
        why = settle(workshop, stored, card, trial, found, as_of, seed)
        progress("save", 1.0)
    in_use = champion(workshop, effect_key(definition.name)) or ""
    return TrainedEffect(card.version, card, model, in_use, why)


def _refuse_idle(definition: Effect, rows: Rows) -> None:
    """An outcome that is the same for everybody tells nothing about an effect."""
    if not len(rows) or rows.truth.min() < rows.truth.max():
        return
    raise NotEnoughData(
        f"{definition.name}: everybody has the same outcome, so nothing can have changed it",
        expected="an outcome that some have and others do not",
        seen=f"{rows.truth[0]:g} for all {len(rows):,}",
        remedy="Check `target` and the loaded data, lengthen `horizon_days`, or ask about a more frequent outcome.",
    )


def _stored(definition: Effect, found: Drawn, model: EffectModel, version: str) -> StoredEffect:
    used = set(model.encoding.names)
    columns = {column.name: column for column in found.columns if column.name in used}
    speaker = Speaker(columns, typical_values(found.rows.table, model.encoding))
    until = repr(max(cut.closes for cut in found.rows.cuts))
    return StoredEffect(definition.name, version, model, speaker, until, definition.target.amount is not None)


def _sample(found: Drawn, encoding: Encoding) -> Sample:
    X = encoding.matrix(found.rows.table)
    return sample_of(
        X,
        found.arm,
        found.rows.truth,
        found.probability,
        names=found.names,
        words=encoding.categorical,
        groups=found.rows.customers,
    )


def _judge(definition: Effect, found: Drawn, sample: Sample, growth: Growth, seed: int, progress: Progress) -> HeldOut:
    learnt, held, campaign, said = _split(definition, found.rows, seed)
    known, rest = sample.take(learnt), sample.take(held)
    _refuse_thin(definition, known, rest)
    choice = choose(known, growth=growth, alpha=definition.false_alarm, seed=seed, progress=progress)
    levels = crossed_levels(known, growth, seed)
    response = learner("response").fit(known, levels, growth, seed).effects(rest.X)
    foretold = np.column_stack([model.mean(rest.X) for model in level_models(known, growth, seed)])
    order = choice.order(rest.X)
    judged = (
        judge_effect(rest, place + 1, order[:, place], response[:, place], foretold, seed)
        for place in range(sample.treatments)
    )
    without = choice.without(rest.X)
    levels_held = np.column_stack([without, without[:, None] + choice.effects(rest.X)])
    return HeldOut(tuple(judged), said, held, rest, order, levels_held, campaign)


def _split(definition: Effect, rows: Rows, seed: int) -> tuple[BoolArray, BoolArray, int | None, Text]:
    """Which rows are learnt from and which held out: in order of time where there are several campaigns."""
    last = max(range(len(rows.cuts)), key=lambda place: (rows.cuts[place].opens, place))
    learnt = rows.learnable_for(last) & (rows.cut != last)
    if learnt.any():
        return learnt, rows.cut == last, last, _LAST.format(campaign=rows.cuts[last].name)
    customers = np.unique(rows.customers)
    taken = np.random.default_rng([seed, APART]).random(customers.size) < definition.test_share
    held: BoolArray = np.isin(rows.customers, customers[taken])
    return ~held, held, None, _RANDOM.format(share=f"{definition.test_share:.0%}")


def _refuse_thin(definition: Effect, known: Sample, rest: Sample) -> None:
    for part_of, where in ((known, "to learn from"), (rest, "held out")):
        sizes = np.bincount(part_of.arm, minlength=len(part_of.names))
        if sizes.min() < 2:
            raise NotEnoughData(
                f"{definition.name}: nobody of the arm {part_of.names[int(sizes.argmin())]!r} is {where}",
                expected="people of every arm on both sides",
                seen=", ".join(f"{name} {size}" for name, size in zip(part_of.names, sizes.tolist(), strict=True)),
                remedy="Leave this arm out, or name campaigns that drew it.",
            )


def _card(
    definition: Effect,
    found: Drawn,
    model: EffectModel,
    trial: HeldOut,
    as_of: datetime,
    seed: int,
) -> EffectCard:
    answers, sizes = model.answers(found.rows.table), np.bincount(found.arm, minlength=len(found.names))
    marks = {"definition": effect_mark(definition), "data": _data(found)}
    lots = definition.treatment
    return EffectCard(
        effect=definition.name,
        title=definition.title,
        version=version_name(as_of, marks, seed),
        question=_question(definition),
        trained_as_of=as_of,
        campaigns=tuple(cut.name for cut in found.rows.cuts),
        arms=dict(zip(found.names, sizes.tolist(), strict=True)),
        probabilities=dict(zip(found.names, found.probability.mean(axis=0).tolist(), strict=True)),
        learner=model.choice.learner,
        evidence=model.choice.evidence,
        trials=model.choice.trials,
        judged=trial.judged,
        held_out=trial.said,
        regions={
            name: regions(
                answers.without,
                answers.effect[:, place],
                level_error=answers.without_error,
                effect_error=answers.error[:, place],
                cut=definition.buyer_from,
                margin=definition.margin,
            ).shares()
            for place, name in enumerate(model.treatments)
        },
        spreads=_spreads(definition, found, model.treatments, answers.effect),
        columns=model.encoding.names,
        forbidden=_forbidden(definition, found),
        notes=(*found.notes, *model.choice.notes),
        limits=(_LOTTERY, *((_UNTOUCHED,) if lots.untouched else ()), _PERSON),
        money=definition.target.amount is not None,
        marks=marks,
        depths=_depths(definition, found, answers, trial),
        seed=seed,
    )


def _depths(definition: Effect, found: Drawn, answers: Answers, trial: HeldOut) -> DepthReport | None:
    """The best depths, by the model in use, judged on people held out from learning."""
    everybody = personal_depths(definition, answers.levels, found.rows.table)
    held = found.rows.table.take(np.flatnonzero(trial.held))
    judged = personal_depths(definition, trial.levels, held)
    return depth_report(definition, everybody, trial.rest, judged, held) if everybody and judged else None


def _spreads(definition: Effect, found: Drawn, treatments: tuple[str, ...], effects: FloatArray) -> tuple[Spread, ...]:
    """Who would be offered a treatment if everybody were whose effect exceeds the margin, group by group."""
    return tuple(
        Spread(
            name,
            feature,
            dispersion(
                groups_of(found.rows.table.column(feature)),
                (effects[:, place] > definition.margin).astype(np.float64),
                effects[:, place],
            ),
        )
        for place, name in enumerate(treatments)
        for feature in definition.watch
        if feature in found.rows.table.column_names
    )


def _forbidden(definition: Effect, found: Drawn) -> tuple[str, ...]:
    return forbidden_among([column.name for column in found.rows.columns], definition.forbidden)


def _question(definition: Effect) -> Mapping[str, object]:
    target = definition.target
    return {
        "population": plain_rule(definition.population) if definition.population else "everybody",
        "target": plain_rule(target.happens) if target.happens else target.model_dump(exclude_none=True),
        "horizon_days": definition.horizon_days,
        "treatment": definition.treatment.model_dump(),
    }


def effect_mark(definition: Effect) -> str:
    """Letters that differ when the definition does."""
    return hashlib.sha256(definition.model_dump_json().encode()).hexdigest()[:12]


def _data(found: Drawn) -> str:
    digest = hashlib.sha256()
    for values in (found.rows.truth, found.arm, found.probability, np.asarray(found.rows.customers)):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


_LAST = Text("最近一次活动“{campaign}”（训练时未用）", "the last campaign, {campaign!r}, which was not learnt from")
_RANDOM = Text(
    "随机留出的 {share} 客户（只有一次活动，无法按时间检验）",
    "a random {share} of the customers (there is one campaign only, so order of time cannot be kept)",
)
_LOTTERY = Text(
    "结论以定义中写明的抽签概率为前提；若分组不是抽签决定的，以上都不成立。",
    "All this rests on the probabilities of the lottery as written: if arms were not drawn by lot, none of it holds.",
)
_UNTOUCHED = Text(
    "对照组是活动开始时未被触达的其余人群；若他们因其他原因未被触达，比较会有偏差。",
    "The control group is everybody else of the population; if they were left out for another reason than the lot, the "
    "comparison is wrong.",
)
_PERSON = Text(
    "效果是相似客户的平均值；一个人在另一分组会怎样，永远看不到。",
    "An effect is an average over alike customers; what one person would have done in the other arm is never seen.",
)
