"""Boosters on disk: learnt once for the same data and definition, with a card of what they learnt and how they did."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lightgbm.basic import LightGBMError

from aimwell.core.text import Language, Text
from aimwell.insight.predictions import trees
from aimwell.insight.predictions.models import FOLDER, version_name
from aimwell.insight.predictions.plain import Result, plain, revived
from aimwell.insight.predictions.workshop import Workshop
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.evaluation import Evaluation
from aimwell.strategy.recommenders.learning import Booster, Lesson
from aimwell.strategy.recommenders.stand import chosen_generators

_LEARNT_WITH = {"level", "line", "horizon_days", "candidates", "eligible", "learn", "expert_by", "cold_buyers"}
"""What a booster depends on; the business's say, diversity and the length of lists change lists, not what is learnt."""
_COLUMNS, _FIGURES = 15, ("auc", "log_loss", "reciprocal_rank", "recall", "ndcg")


@dataclass(frozen=True, slots=True)
class Card(Result):
    """What a kept booster is: from which days and pairs it learnt, what it looks at, and how it did.

    days: local days whose buyers it learnt from.   pairs, bought: pairs learnt from, and those that were bought.
    columns: the weightiest features with their share of what the trees gained.   timeless: tables that do not say since
    when their values are known.   marks: hashes of definition and data.   judged: the last days, beside popularity, own
    frequency and the expert rule; None until somebody judges it.
    """

    recommender: str
    title: Text
    version: str
    trained_as_of: datetime
    days: tuple[str, ...]
    pairs: int
    bought: int
    columns: tuple[tuple[str, float], ...]
    generators: tuple[str, ...]
    timeless: tuple[str, ...]
    about: str
    marks: dict[str, str]
    seed: int
    judged: Evaluation | None = None

    def markdown(self, language: Language) -> str:
        """The card as a page of Markdown."""
        lines = [f"# {self.title.said(language)}", ""]
        facts = (
            (_VERSION, f"`{self.version}`"),
            (_DAYS, f"{self.days[0]} … {self.days[-1]} ({len(self.days)})"),
            (_PAIRS, f"{self.pairs:,} / {self.bought:,}"),
            (_GENERATORS, ", ".join(self.generators)),
            (_TIMELESS, ", ".join(self.timeless) or "–"),
            (_ABOUT, self.about or "–"),
        )
        lines += [f"- **{label.said(language)}**: {value}" for label, value in facts]
        lines += ["", f"## {_HOW_GOOD.said(language)}", "", *_figures(self.judged, language)]
        lines += ["", f"## {_WEIGHTY.said(language)}", ""]
        lines += [f"- `{name}`: {share:.1%}" for name, share in self.columns]
        return "\n".join([*lines, "", _LIMIT.said(language)]) + "\n"


_VERSION, _DAYS = Text("版本", "Version"), Text("学习的日子", "Days learnt from")
_PAIRS, _GENERATORS = Text("学习的配对 / 其中购买", "Pairs learnt from / bought"), Text("候选来源", "Generators")
_TIMELESS, _ABOUT = Text("无时间的表", "Tables without time"), Text("数据来源", "Data")
_HOW_GOOD, _WEIGHTY = Text("效果", "How good it was"), Text("最重要的特征", "Features that matter most")
_UNJUDGED = Text("尚未评估：运行 `aimwell recommend evaluate`。", "Not judged yet: run `aimwell recommend evaluate`.")
_LIMIT = Text(
    "概率指客户来店时购买的可能性，不是推荐带来的变化。",
    "A probability is of buying when coming, not of what a recommendation changes.",
)


def version_of(definition: Recommender, workshop: Workshop, as_of: datetime, seed: int) -> str | None:
    """The name of the version that these data, this definition, instant and seed give; None for data without a mark."""
    return version_name(as_of, marks_of(definition, workshop, as_of), seed) if workshop.version else None


def marks_of(definition: Recommender, workshop: Workshop, as_of: datetime) -> dict[str, str]:
    """What tells one learning from another: definition, data and instant."""
    written = definition.model_dump_json(include=_LEARNT_WITH)
    asked = "\n".join([written, *chosen_generators(definition)])
    return {
        "definition": hashlib.sha256(asked.encode()).hexdigest()[:12],
        "data": workshop.version,
        "as_of": as_of.isoformat(),
    }


def card_of(
    definition: Recommender,
    workshop: Workshop,
    as_of: datetime,
    days: Sequence[str],
    lessons: Sequence[Lesson],
    booster: Booster,
    seed: int,
) -> Card:
    """The card of a booster that was just learnt; not judged yet."""
    heavy = sorted(zip(booster.names, booster.grown.weights().tolist(), strict=True), key=lambda each: -each[1])
    marks = marks_of(definition, workshop, as_of)
    return Card(
        definition.name,
        definition.title,
        version_name(as_of, marks, seed),
        as_of,
        tuple(days),
        sum(lesson.bought.size for lesson in lessons),
        sum(lesson.wanted for lesson in lessons),
        tuple(heavy[:_COLUMNS]),
        tuple(name for name in chosen_generators(definition) if name in booster.groups),
        tuple(workshop.history(as_of).timeless),
        workshop.about,
        marks,
        seed,
    )


def save(folder: Path, booster: Booster, card: Card) -> Path:
    """Write a version's folder; a failure on the way leaves nothing half-written under its name."""
    place = _place(folder, card.recommender, card.version)
    judged = card.judged or _read_judged(place)
    fresh = place.with_name(place.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    texts = {"trees": booster.grown.texts(), "novel": booster.apart.texts() if booster.apart else []}
    for name, bags in texts.items():
        for number, text in enumerate(bags):
            (fresh / f"{name}_{number}.txt").write_text(text, encoding="utf-8")
    counts = {name: len(bags) for name, bags in texts.items()}
    meta = {"bags": counts, "names": booster.names, "groups": booster.groups, "unseen": booster.unseen}
    (fresh / "model.json").write_text(_json(meta), encoding="utf-8")
    (fresh / "card.json").write_text(_json(card), encoding="utf-8")
    _write_cards(fresh, card, judged)
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
    return place


def load(folder: Path, recommender: str, version: str) -> Booster | None:
    """The kept booster of a version; None where there is none or its files are damaged: then it is learnt anew."""
    place = _place(folder, recommender, version)
    try:
        meta = json.loads((place / "model.json").read_text(encoding="utf-8"))
        texts = {
            name: [(place / f"{name}_{number}.txt").read_text(encoding="utf-8") for number in range(count)]
            for name, count in meta["bags"].items()
        }
        grown = trees.Trees.from_texts(texts["trees"])
        apart = trees.Trees.from_texts(texts["novel"]) if texts["novel"] else None
        return Booster(grown, tuple(meta["names"]), tuple(meta["groups"]), float(meta["unseen"]), apart)
    except (OSError, ValueError, KeyError, TypeError, LightGBMError):
        return None


def read_card(folder: Path, recommender: str, version: str) -> Card | None:
    """The card of a version with what is known of how it did; None where there is none."""
    place = _place(folder, recommender, version)
    try:
        card: Card = revived(Card, json.loads((place / "card.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _with(card, _read_judged(place))


def note_judged(folder: Path, recommender: str, version: str, judged: Evaluation) -> None:
    """Keep how a version did on the last days, beside its card or until there is one."""
    place = _place(folder, recommender, version)
    place.mkdir(parents=True, exist_ok=True)
    (place / "judged.json").write_text(_json(judged), encoding="utf-8")
    card = read_card(folder, recommender, version)
    if card is not None:
        _write_cards(place, card, judged)


def _write_cards(place: Path, card: Card, judged: Evaluation | None) -> None:
    if judged is not None:
        (place / "judged.json").write_text(_json(judged), encoding="utf-8")
    told = _with(card, judged)
    (place / "card.zh.md").write_text(told.markdown("zh"), encoding="utf-8")
    (place / "card.en.md").write_text(told.markdown("en"), encoding="utf-8")


def _with(card: Card, judged: Evaluation | None) -> Card:
    values = {name: getattr(card, name) for name in Card.__dataclass_fields__}
    return Card(**{**values, "judged": judged})


def _read_judged(place: Path) -> Evaluation | None:
    try:
        found: Evaluation = revived(Evaluation, json.loads((place / "judged.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def _figures(judged: Evaluation | None, language: Language) -> list[str]:
    """One table for each slice that was judged: the model and what stands beside it."""
    if judged is None:
        return [_UNJUDGED.said(language)]
    lines = [f"{judged.days[0]} … {judged.days[-1]}: {judged.lists:,} × {judged.customers:,}", ""]
    for found in judged.slices:
        lines += [f"### {found.label.said(language)}", "", f"| | {' | '.join(_FIGURES)} |"]
        lines.append(f"|---|{'---|' * len(_FIGURES)}")
        for way in found.ways:
            cells = (str(way.figures[name]) if name in way.figures else "–" for name in _FIGURES)
            lines.append(f"| {way.label.said(language)} | {' | '.join(cells)} |")
        lines.append("")
    return lines


def _place(folder: Path, recommender: str, version: str) -> Path:
    return folder / FOLDER / f"recommender.{recommender}" / version


def _json(value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False, indent=1)
