"""The words of a finished job: what a marketer reads in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aimwell.cli.strategies import Strategies
from aimwell.core.text import Language, Text
from aimwell.insight.effects import effect_key
from aimwell.web.report.sections.decisions import plan_verdict
from aimwell.web.report.sections.effects import effect, money_effect
from aimwell.web.report.sections.journeys import JourneyStory
from aimwell.web.report.sections.predictions import verdict
from aimwell.web.report.sections.recommendations import recommendation_verdict
from aimwell.web.report.sections.summary import first_tenth
from aimwell.web.report.sections.uplift import EffectStory, uplift_verdict
from aimwell.worker.job import Results

_READ = Text(
    "读入 {rows:,} 行，收下 {kept:,} 行，拒收 {rejected:,} 行。",
    "Read {rows:,} rows, kept {kept:,}, rejected {rejected:,}.",
)
_NOTHING_NEW = Text("没有新数据。", "Nothing new to read.")
_LIST = Text(
    "  先联系 {people:,} 人中得分最高的 {first:,} 人：{file}",
    "  Turn first to the best {first:,} of {people:,}: {file}",
)
_FAILED = Text("{title}没有更新：{why}", "{title} was not brought up to date: {why}")
_FUNNEL = Text(
    "进入 {entered:,} 人，其中 {held_out:,} 人留出；发出 {exposed:,}，送达 {delivered:,}，打开 {opened:,}，"
    "点击 {clicked:,}，达成目标 {bought:,}。",
    "{entered:,} came in, {held_out:,} of them held out; {exposed:,} were sent something, {delivered:,} got it, "
    "{opened:,} opened, {clicked:,} clicked, {bought:,} reached the goal.",
)
_NEXT = Text("接下来：", "Next:")
_SEGMENTS = Text("{count} 个人群已更新。", "{count} segments are up to date.")
_REPORT = Text("报告：{report}", "Report: {report}")


def summary_lines(
    results: Results, titles: Mapping[str, Text], currency: str, language: Language, lists: Sequence[Path], report: Path
) -> list[str]:
    """A few lines: the data; for each prediction a verdict, and whom to turn to; the segments, and the report."""
    lines = [_read(results).said(language)]
    for name, card in results.predictions.items():
        lines.append(f"{titles[name].said(language)}: {verdict(card.backtest, currency).said(language)}")
        lines += [each.said(language) for each in _list(results, name, lists)]
    troubles = {effect_key(name): why for name, why in results.effects.failures.items()}
    for name, why in {**results.predicted.failures, **troubles}.items():
        title = titles.get(name, Text(name, name))
        lines.append(
            Text(_FAILED.zh.format(title=title.zh, why=why), _FAILED.en.format(title=title.en, why=why)).said(language)
        )
    if results.segments:
        lines.append(_SEGMENTS.format(count=len(results.segments)).said(language))
    lines.append(_REPORT.format(report=report).said(language))
    return lines


def effect_lines(effects: Mapping[str, EffectStory], currency: str, language: Language) -> list[str]:
    """For each effect whether it differs between people, or that its experiment has no outcome yet."""
    return [
        f"{each.definition.title.said(language)}: {uplift_verdict(each, currency).said(language)}"
        for each in effects.values()
    ]


def strategy_lines(strategies: Strategies, language: Language) -> list[str]:
    """For each recommender how good it is, for each decision what it gives for how much, or why they failed."""
    lines = []
    for name, told in strategies.lists.items():
        lines.append(f"{strategies.titles[name].said(language)}: {recommendation_verdict(told).said(language)}")
    for name, story in strategies.plans.items():
        lines.append(f"{strategies.titles[name].said(language)}: {plan_verdict(story).said(language)}")
    for name, why in strategies.failures.items():
        lines.append(_FAILED.said(language).format(title=strategies.titles[name].said(language), why=why))
    return lines


def journey_lines(stories: Sequence[JourneyStory], folder: Path, language: Language) -> list[str]:
    """For each journey who came in, its funnel and what it changed; then how to look further. Nothing without any."""
    lines: list[str] = []
    for story in stories:
        steps = story.funnel.steps
        counts = {step: steps[step] for step in ("exposed", "delivered", "opened", "clicked", "bought")}
        title = Text(
            f"{story.title.zh}（模拟的回应）" if story.simulated else story.title.zh,
            f"{story.title.en} (simulated answers)" if story.simulated else story.title.en,
        )
        funnel = _FUNNEL.format(entered=story.funnel.entered, held_out=story.held_out, **counts)
        lines.append(Text(f"{title.zh}：{funnel.zh}", f"{title.en}: {funnel.en}").said(language))
        lines.append("  " + effect(story.lift).said(language))
        if story.lift is not None and story.lift.spent_until is not None:
            lines.append("  " + money_effect(story.lift, story.currency).said(language))
    if stories:
        lines.append(_NEXT.said(language))
        lines += [f"  {command}" for command in _commands(stories[0], folder)]
    return lines


def _commands(story: JourneyStory, folder: Path) -> list[str]:
    place = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    where = "" if place == Path() else f" -w {place}"
    customer = story.example or "CUSTOMER"
    return [
        f"aimwell serve{where}",
        f"aimwell funnel {story.name}{where}",
        f"aimwell why {customer} {story.name}{where}",
    ]


def _read(results: Results) -> Text:
    tallies = [table.tally for source in results.load.sources for table in source.tables]
    if not tallies:
        return _NOTHING_NEW
    return _READ.format(
        rows=sum(t.read for t in tallies),
        kept=sum(t.kept for t in tallies),
        rejected=sum(t.refused for t in tallies),
    )


def _list(results: Results, name: str, lists: Sequence[Path]) -> list[Text]:
    """Whom to turn to first, and in which file they stand; nothing where nobody was scored."""
    scoring, file = results.scorings.get(name), next((path for path in lists if path.stem == name), None)
    if scoring is None or file is None:
        return []
    return [_LIST.format(people=scoring.people, first=first_tenth(scoring), file=file)]
