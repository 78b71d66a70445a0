"""Training: learn from all that is known, judge in order of time, and replace the model in use only by a better one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

import numpy as np
import pyarrow as pa

from aimwell.core.errors import AimwellError
from aimwell.core.progress import Progress, part, silent
from aimwell.core.text import Text
from aimwell.insight.predictions.backtest import ROUGHLY, Backtest, Judged, gather, judge_rows, sampled
from aimwell.insight.predictions.card import Card, column_lines, limits_of, question_of
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.evaluation import Metric
from aimwell.insight.predictions.kind import Model, kind_of
from aimwell.insight.predictions.life import champion, record
from aimwell.insight.predictions.models import StoredModel, load, save, version_name
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.provenance import Provenance, provenance
from aimwell.insight.predictions.reasons import Speaker, typical_values
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.scores import Baseline
from aimwell.insight.predictions.workshop import Workshop

CHAMPION = Text("现用模型", "the model in use")


@dataclass(frozen=True, slots=True)
class Trained(Result):
    """What a training made.

    version: the new version.   in_use: the version in use now.   against: the new one beside the one in use on later
    time, None where there was none or they cannot be compared.   why: the decision in words.
    """

    prediction: str
    version: str
    in_use: str
    card: Card
    against: Metric | None
    why: Text

    @property
    def backtest(self) -> Backtest:
        """How it did on the held-out dates."""
        return self.card.backtest


def train(
    definition: Prediction, workshop: Workshop, as_of: datetime, *, seed: int = 0, progress: Progress = silent
) -> Trained:
    """Learn a prediction from everything known at `as_of`, and put it into use if nothing better is.

    The last cut-offs are held out first, to judge by; then the model is learnt anew from all of them. A model in use
    is replaced when the new one is not worse on the held-out dates (or better, if the definition says so). Everything
    is recorded; when training fails, the model in use stays, and the failure is recorded too.
    """
    with recorded(definition.name, workshop, as_of):
        gathered = _gather(definition, workshop, as_of, part(progress, 0.0, 0.5))
        learnt = _learn(gathered, seed, part(progress, 0.5, 0.95))
        trained = _settle(learnt, workshop)
        progress("save", 1.0)
        return trained


@dataclass(frozen=True)
class Learning:
    """Predictions that are being learnt in another thread.

    begun: by name, in the order in which they are learnt.   failed: what went wrong so far; these stay as they were.
    """

    definitions: Mapping[str, Prediction]
    workshop: Workshop
    as_of: datetime
    begun: dict[str, Future[_Learnt]] = field(default_factory=dict)
    failed: dict[str, AimwellError] = field(default_factory=dict)

    def settle(self, progress: Progress = silent) -> dict[str, Trained]:
        """Wait for all, keep each and decide on its use, as `train` does; what goes wrong is added to `failed`."""
        made: dict[str, Trained] = {}
        for index, (name, future) in enumerate(self.begun.items()):
            try:
                with recorded(name, self.workshop, self.as_of):
                    made[name] = _settle(_awaited(future, name, progress, index / len(self.begun)), self.workshop)
            except AimwellError as error:
                self.failed[name] = error
        return made


@contextmanager
def learning(
    definitions: Mapping[str, Prediction],
    workshop: Workshop,
    as_of: datetime,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Iterator[Learning]:
    """Learn several predictions: while one is learnt, the rows of the next are gathered, and then other work is done.

    Only gathering and settling read and write the warehouse, so the block is free to use it in between. Whatever ends
    the block early ends the learning.
    """
    stop, state = Event(), Learning(definitions, workshop, as_of)
    with ThreadPoolExecutor(1) as pool:
        try:
            for index, (name, definition) in enumerate(definitions.items()):
                here = part(progress, index / len(definitions), (index + 1) / len(definitions))
                try:
                    with recorded(definition.name, workshop, as_of):
                        gathered = _gather(definition, workshop, as_of, here)
                    state.begun[name] = pool.submit(_learn, gathered, seed, _until(stop))
                except AimwellError as error:
                    state.failed[name] = error
            yield state
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def recorded(name: str, workshop: Workshop, as_of: datetime) -> Iterator[None]:
    """Whatever fails inside is recorded under the name of what is learnt, and the model in use stays."""
    try:
        yield
    except AimwellError as error:
        stays = champion(workshop, name)
        record(workshop, name, stays or "", as_of, "failed", why=str(error))
        raise


def _until(stop: Event) -> Progress:
    """Progress of work in another thread: it ends when the work that it belongs to has ended."""

    def watch(_: str, __: float) -> None:
        if stop.is_set():
            raise CancelledError

    return watch


def _awaited(future: Future[_Learnt], name: str, progress: Progress, share: float) -> _Learnt:
    """What the other thread made; in the meantime progress is told, so that it can be cancelled."""
    while not future.done():
        progress(f"learn {name}", share)
        wait([future], timeout=0.2)
    return future.result()


@dataclass(frozen=True)
class _Gathered:
    """All that learning needs of the warehouse."""

    definition: Prediction
    as_of: datetime
    rows: Rows
    source: Provenance
    about: str


@dataclass(frozen=True)
class _Learnt:
    """A judged model that is not yet kept."""

    definition: Prediction
    as_of: datetime
    judged: Judged
    model: Model
    card: Card
    speaker: Speaker
    answers_until: str
    seed: int


def _gather(definition: Prediction, workshop: Workshop, as_of: datetime, progress: Progress) -> _Gathered:
    rows = gather(definition, workshop, as_of, progress)
    return _Gathered(definition, as_of, rows, provenance(definition, workshop, as_of), workshop.about)


def _learn(gathered: _Gathered, seed: int, progress: Progress) -> _Learnt:
    """Judge, then learn from everything; reads no warehouse, so that it can go on beside others."""
    definition, rows, as_of = gathered.definition, gathered.rows, gathered.as_of
    found = gathered.source.findings()
    judged = judge_rows(definition, rows, as_of, seed=seed, progress=part(progress, 0.0, 0.55), known=found)
    learnt = sampled(rows, definition, seed)
    model, _ = kind_of(definition.kind).fit(learnt, definition.model, seed, part(progress, 0.55, 1.0))
    speaker = Speaker({column.name: column for column in rows.columns}, typical_values(learnt.table, model.encoding))
    card = _card(gathered, learnt, judged, model, seed)
    return _Learnt(definition, as_of, judged, model, card, speaker, _answers_until(rows), seed)


def _settle(learnt: _Learnt, workshop: Workshop) -> Trained:
    """Keep a model, decide on its use, and record both."""
    definition, card, as_of = learnt.definition, learnt.card, learnt.as_of
    save(workshop.folder, learnt.model, card, learnt.speaker, learnt.answers_until)
    headline = {metric.name: metric.model for metric in card.backtest.everybody.metrics}
    record(workshop, definition.name, card.version, as_of, "trained", why="", metrics=headline)
    against, why = _decide(definition, workshop, card.version, learnt.judged, as_of, learnt.seed)
    return Trained(definition.name, card.version, champion(workshop, definition.name) or "", card, against, why)


def _decide(
    definition: Prediction, workshop: Workshop, version: str, judged: Judged, as_of: datetime, seed: int
) -> tuple[Metric | None, Text]:
    """Promote the new version, or keep the one in use; recorded with the reason."""
    name, standing = definition.name, champion(workshop, definition.name)
    if standing is None or standing == version:
        why = _FIRST if standing is None else _SAME
        if standing is None:
            record(workshop, name, version, as_of, "promoted", why=why.en)
        return None, why
    against, reason = _compare(definition, load(workshop.folder, name, standing), judged, seed)
    if against is None or against.difference is None:
        record(workshop, name, version, as_of, "kept", why=reason.en)
        return None, reason
    worse = against.difference.high < 0 if against.better == "higher" else against.difference.low > 0
    wins = bool(against.proven) if definition.promotion == "better" else not worse
    said = {"difference": str(against.difference)}
    why = (_WINS if wins else _LOSES).format(**said)
    record(workshop, name, version, as_of, "promoted" if wins else "kept", why=why.en, metrics=against)
    return against, why


def _compare(definition: Prediction, standing: StoredModel, judged: Judged, seed: int) -> tuple[Metric | None, Text]:
    """The new model beside the one in use, on dates whose answers neither had seen; or why that cannot be told."""
    rows = judged.rows
    opens = min(rows.cuts[cut].opens for cut in set(rows.cut.tolist()))
    if standing.kind != definition.kind or not standing.answers_until or float(standing.answers_until) > opens:
        return None, _NOT_LATER
    if any(name not in rows.table.column_names for name in standing.model.encoding.names):
        return None, _OTHER_COLUMNS
    scores = standing.model.scores(rows.table)
    raw = scores.raw if scores.typical is None else scores.typical
    against = Baseline(CHAMPION, raw)
    found = kind_of(definition.kind).judge(rows, judged.scores, against, sizes=(1,), seed=seed, resamples=ROUGHLY)
    return (found.metrics[0], Text("", "")) if found.metrics else (None, _NOTHING)


def _card(gathered: _Gathered, learnt: Rows, judged: Judged, model: Model, seed: int) -> Card:
    definition, source = gathered.definition, gathered.source
    flat = definition.flat is not None
    marks = {"definition": definition_mark(definition), "data": _data_hash(learnt)}
    columns = {column.name: column for column in learnt.columns}
    return Card(
        prediction=definition.name,
        title=definition.title,
        kind=definition.kind,
        version=version_name(None if flat else gathered.as_of, marks, seed),
        question=question_of(definition),
        trained_as_of=None if flat else gathered.as_of,
        learnt_from=tuple(cut.name for cut in learnt.cuts),
        rows=len(learnt),
        positives=learnt.positives,
        columns=column_lines(columns, model.encoding, model.weights().tolist()),
        dropped=tuple((each.name, each.why) for each in model.encoding.dropped),
        timeless=source.timeless,
        backtest=judged.result,
        limits=(*limits_of(definition), *source.limits()),
        about=gathered.about,
        marks=marks,
        seed=seed,
    )


def _answers_until(rows: Rows) -> str:
    """When the last answer that was learnt from was known, on the axis of cut-offs."""
    return repr(max(cut.closes for cut in rows.cuts))


def definition_mark(definition: Prediction) -> str:
    """Letters that differ when the definition does."""
    return hashlib.sha256(definition.model_dump_json().encode()).hexdigest()[:12]


def _data_hash(rows: Rows) -> str:
    """A mark of everything that was learnt from: equal data give equal marks."""
    digest = hashlib.sha256()
    for values in (rows.truth, rows.cut, np.asarray(rows.customers)):
        digest.update(np.ascontiguousarray(values).tobytes())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.table.schema) as writer:
        writer.write_table(rows.table.combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()[:12]


_FIRST = Text("第一个版本，直接启用。", "The first version: put into use.")
_SAME = Text("与现用模型完全相同。", "The same as the model in use.")
_WINS = Text(
    "在之后的时间上不差于现用模型（差 {difference}）：启用。",
    "On later time not worse than the model in use (difference {difference}): put into use.",
)
_LOSES = Text(
    "在之后的时间上未达到启用条件（差 {difference}）：保留现用模型。",
    "On later time it did not earn its place (difference {difference}): the model in use stays.",
)
_NOT_LATER = Text(
    "现用模型已学过检验期的答案，无法在之后的时间上比较：保留现用模型，可手动启用。",
    "The model in use has already learnt the answers of the held-out dates, so the two cannot be compared on later "
    "time: it stays, and the new one can be promoted by hand.",
)
_OTHER_COLUMNS = Text(
    "现用模型需要的特征已不存在，无法比较：保留现用模型，可手动启用。",
    "The model in use reads features that are no longer there, so the two cannot be compared: it stays, and the new "
    "one can be promoted by hand.",
)
_NOTHING = Text(
    "检验期没有可比较的结果：保留现用模型。", "The held-out dates have no outcomes to compare by: it stays."
)
