"""The re-fit of effects: learnt anew when there is an experiment that the last training has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from aimwell.core.errors import AimwellError, NotEnoughData
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.insight.effects.card import EffectCard
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.keeping import effect_key, load_effect, stored_effect_card
from aimwell.insight.effects.making import TrainedEffect, effect_mark, train_effect
from aimwell.insight.effects.rows import experiments
from aimwell.insight.predictions.life import champion, life
from aimwell.insight.predictions.refit import Done, Refit
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.uplift.trees import GROWTH, Growth


def refit_effects(
    definitions: Mapping[str, Effect],
    workshop: Workshop,
    as_of: datetime,
    *,
    growth: Growth = GROWTH,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Refit, ...]:
    """Learn anew those effects for which there is something new as of the instant, in the order given.

    That is: never learnt, another definition, a model that is gone or was learnt later than the instant, or experiments
    whose horizon is over and that the last training has not seen. One that fails stays as it was, and does not stop
    the others; one of whose experiments no outcome is known yet waits, and that is no failure.
    """
    found: list[Refit] = []
    for number, (name, definition) in enumerate(definitions.items()):
        here = part(progress, number / len(definitions), (number + 1) / len(definitions))
        try:
            known = [cut.name for cut in experiments(definition, workshop, as_of)]
        except NotEnoughData as waiting:
            found.append(_waiting(name, workshop, waiting))
        except AimwellError as error:
            found.append(_told(name, workshop, _UNTOLD, error))
        else:
            because = _reason(definition, workshop, as_of, known)
            made = _made(definition, workshop, as_of, growth, seed, here) if because else None
            found.append(_told(name, workshop, because or _STANDS, made))
    return tuple(found)


def _made(
    definition: Effect, workshop: Workshop, as_of: datetime, growth: Growth, seed: int, progress: Progress
) -> TrainedEffect | AimwellError:
    try:
        return train_effect(definition, workshop, as_of, growth=growth, seed=seed, progress=progress)
    except AimwellError as error:  # recorded by the training; the version in use stays
        return error


def standing_effect(name: str, workshop: Workshop) -> EffectCard | None:
    """The card of the version in use; None if there is none, or it cannot be read."""
    version = champion(workshop, effect_key(name))
    if version is None:
        return None
    try:
        load_effect(workshop.folder, name, version)
        return stored_effect_card(workshop.folder, name, version)
    except AimwellError:  # a damaged or missing version is made again
        return None


def _reason(definition: Effect, workshop: Workshop, as_of: datetime, known: Sequence[str]) -> Text | None:
    """Why an effect is to be learnt anew; None if the version in use stands.

    known: experiments whose outcome is known.
    """
    standing, card = standing_effect(definition.name, workshop), _last(definition.name, workshop)
    if standing is None or card is None:
        return _NEVER
    if card.marks.get("definition") != effect_mark(definition):
        return _CHANGED
    if card.trained_as_of > as_of:
        return _LATER
    fresh = [name for name in known if name not in card.campaigns]
    return _FRESH.format(experiments=", ".join(fresh)) if fresh else None


def _last(name: str, workshop: Workshop) -> EffectCard | None:
    """The card of what was learnt last, whether or not it came into use; None if there is none."""
    learnt = [event.version for event in life(workshop, effect_key(name)) if event.action == "trained"]
    try:
        return stored_effect_card(workshop.folder, name, learnt[-1]) if learnt else None
    except AimwellError:  # as above
        return None


def _told(name: str, workshop: Workshop, because: Text, made: TrainedEffect | AimwellError | None) -> Refit:
    done: Done = "not_due"
    version, outcome = "", Text("", "")
    if isinstance(made, TrainedEffect):
        done, version, outcome = "promoted" if made.in_use == made.version else "kept", made.version, made.why
    elif made is not None:
        done, outcome = "failed", _FAILED.format(error=str(made))
    card = standing_effect(name, workshop)
    said = Text(because.zh + outcome.zh, f"{because.en} {outcome.en}".strip())
    in_use = champion(workshop, effect_key(name)) or ""
    return Refit(name, done, said, version, in_use, card.trained_as_of if card else None, None)


def _waiting(name: str, workshop: Workshop, why: NotEnoughData) -> Refit:
    """No outcome is known yet: nothing to learn from, and nothing wrong."""
    card, in_use = standing_effect(name, workshop), champion(workshop, effect_key(name)) or ""
    said = _WAITS.format(why=str(why))
    return Refit(name, "waiting", said, "", in_use, card.trained_as_of if card else None, None)


_UNTOLD = Text("", "")
_NEVER = Text("尚未训练过，或模型文件不可用。", "It was never learnt, or its files cannot be used.")
_CHANGED = Text("定义已变。", "Its definition has changed.")
_LATER = Text("现用版本训练于所问时点之后。", "The version in use was learnt later than asked for.")
_FRESH = Text("有未学过的试验：{experiments}。", "The last training has not seen {experiments}.")
_STANDS = Text("没有新的试验。", "There is no new experiment.")
_WAITS = Text("试验还没有结果：{why}", "Its experiment has no outcome yet: {why}")
_FAILED = Text("失败：{error}", "It failed: {error}")
