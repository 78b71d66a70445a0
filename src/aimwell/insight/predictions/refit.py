"""The scheduled re-fit: whatever is due is learnt anew, and for each prediction it is said what was done and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aimwell.core.errors import AimwellError
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.core.time import local_day
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.life import champion, due
from aimwell.insight.predictions.making import Trained, train
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.standing import standing_cards
from aimwell.insight.predictions.workshop import Workshop

Done = Literal["promoted", "kept", "not_due", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class Refit(Result):
    """What the schedule meant for one prediction.

    done: promoted (learnt anew and put into use), kept (learnt anew, the one in use stayed), not_due, waiting (of an
    effect: no outcome of its experiment is known yet), or failed.
    why: why it was learnt anew or not, and what came of it.   version: the new one, empty if none was made.
    in_use: empty if there is none.   last: when it was last learnt.   following: when it is due next.
    """

    prediction: str
    done: Done
    why: Text
    version: str
    in_use: str
    last: datetime | None
    following: datetime | None


def refit(
    definitions: Mapping[str, Prediction],
    workshop: Workshop,
    as_of: datetime,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Refit, ...]:
    """Learn anew those predictions that are due as of the instant, in the order given; the others stay as they are.

    Due are those that were never learnt, whose last training is as old as `refit` says, whose definition has changed
    since, whose model was learnt later than the instant, or whose files are gone. One that fails stays as it was, and
    does not stop the others.
    """
    standing = standing_cards(definitions, workshop, as_of)
    found: list[Refit] = []
    for number, (name, definition) in enumerate(definitions.items()):
        here = part(progress, number / len(definitions), (number + 1) / len(definitions))
        made: Trained | AimwellError | None = None
        because = _STANDS if name in standing else _reason(definition, workshop, as_of)
        if name not in standing:
            try:
                made = train(definition, workshop, as_of, seed=seed, progress=here)
            except AimwellError as error:  # recorded; the model in use stays
                made = error
        found.append(_told(definition, workshop, as_of, because, made))
    return tuple(found)


def _reason(definition: Prediction, workshop: Workshop, as_of: datetime) -> Text:
    """Why a prediction that does not stand is to be learnt anew."""
    schedule = due(definition, workshop, as_of)
    if schedule.last is None or champion(workshop, definition.name) is None:
        return _NEVER
    numbers = {"last": _day(schedule.last, workshop), "days": definition.refit.days}
    if schedule.due:
        return _SCHEDULE.format(**numbers)
    return _LATER.format(**numbers) if schedule.last > as_of else _CHANGED.format(**numbers)


def _told(
    definition: Prediction, workshop: Workshop, as_of: datetime, because: Text, made: Trained | AimwellError | None
) -> Refit:
    schedule, in_use = due(definition, workshop, as_of), champion(workshop, definition.name) or ""
    done: Done = "not_due"
    version, outcome = "", Text("", "")
    if isinstance(made, Trained):
        done, version, outcome = "promoted" if made.in_use == made.version else "kept", made.version, made.why
    elif made is not None:
        done, outcome = "failed", _FAILED.format(error=str(made))
    elif schedule.following:
        outcome = _NEXT.format(following=_day(schedule.following, workshop))
    said = Text(because.zh + outcome.zh, f"{because.en} {outcome.en}".strip())
    return Refit(definition.name, done, said, version, in_use, schedule.last, schedule.following)


def _day(instant: datetime, workshop: Workshop) -> str:
    return str(local_day(instant, workshop.warehouse.zone))


_NEVER = Text("尚未训练过。", "It was never learnt.")
_SCHEDULE = Text(
    "按计划每 {days} 天重训，上次为 {last}。", "It is learnt anew every {days} days, the last time on {last}."
)
_CHANGED = Text("定义或模型文件已变（上次训练 {last}）。", "Its definition or files have changed since {last}.")
_LATER = Text("现用模型训练于所问时点之后（{last}）。", "The model in use was learnt later than asked for ({last}).")
_STANDS = Text("未到期。", "Not due.")
_NEXT = Text("下次为 {following}。", "The next time is {following}.")
_FAILED = Text("失败：{error}", "It failed: {error}")
