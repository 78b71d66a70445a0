"""A rule as a sentence that a marketer reads, in Chinese and English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from aimwell.core.comparisons import Bounds, Comparison, Window, Words, comparisons, written
from aimwell.core.rules import (
    AllOf,
    AnyOf,
    AttributeIs,
    EventFacts,
    EventMatch,
    Events,
    EventStep,
    InSequence,
    Leaf,
    Manual,
    MemberOf,
    Not,
    OutcomeFacts,
    OutcomeMatch,
    Outcomes,
    OutcomeStep,
    PurchaseFacts,
    PurchaseMatch,
    Purchases,
    PurchaseStep,
    Rule,
    ScoreIs,
    Step,
    Steps,
    TagIs,
    Touches,
    TouchFacts,
    TouchMatch,
    leaves,
)
from aimwell.core.text import Language, Text
from aimwell.insight.features.library import Library
from aimwell.insight.rules.phrases import ATTRIBUTES, COMPARED, FILTERS, UNITS


def sentence(
    rule: Rule,
    language: Language,
    library: Library,
    *,
    segments: Mapping[str, Text] | None = None,
    predictions: Mapping[str, Text] | None = None,
) -> str:
    """The rule in one sentence, with the labels of tags and, where given, of segments and predictions.

    What a rule takes for the unknown is said: `not:` over a comparison includes those of whom it cannot be told.
    """
    speaker = _Speaker(language, library, segments or {}, predictions or {})
    said = speaker.rule(rule, inside=False)
    return f"{said}的客户" if language == "zh" else f"Customers {said}"


@dataclass(frozen=True)
class _Speaker:
    """Says the parts of a rule in one language."""

    language: Language
    library: Library
    segments: Mapping[str, Text] = field(default_factory=dict)
    predictions: Mapping[str, Text] = field(default_factory=dict)

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def rule(self, rule: Rule, *, inside: bool = True) -> str:
        if isinstance(rule, AllOf | AnyOf):
            parts = rule.all if isinstance(rule, AllOf) else rule.any
            word = self.say("，且", ", and ") if isinstance(rule, AllOf) else self.say("，或", ", or ")
            joined = word.join(self.rule(part) for part in parts)
            return f"({joined})" if inside and len(parts) > 1 else joined
        if isinstance(rule, Not):
            return self._not(rule)
        return self._leaf(rule)

    def _not(self, rule: Not) -> str:
        unsure = any(isinstance(leaf, AttributeIs | TagIs | ScoreIs) for _, leaf in leaves(rule.not_))
        said = self.rule(rule.not_)
        plain = said if said.startswith("(") else f"({said})"
        note = self.say("（未知的保留）", ", keeping the unknown") if unsure else ""
        return self.say(f"除去{plain}{note}", f"excluding those {plain}{note}")

    def _leaf(self, leaf: Leaf) -> str:
        if isinstance(leaf, AttributeIs):
            return self._attribute(leaf)
        if isinstance(leaf, TagIs):
            return self._tag(leaf)
        if isinstance(leaf, ScoreIs):
            return self._score(leaf)
        if isinstance(leaf, MemberOf):
            name = self.segments.get(leaf.segment, Text(leaf.segment, leaf.segment)).said(self.language)
            return self.say(f"属于人群“{name}”", f"in segment “{name}”")
        if isinstance(leaf, Manual):
            count = len(set(leaf.manual))
            return self.say(f"在手工名单中（{count} 个）", f"listed by hand ({count})")
        if isinstance(leaf, InSequence):
            return self._sequence(leaf.sequence)
        return self._facts(leaf)

    def _attribute(self, leaf: AttributeIs) -> str:
        label = ATTRIBUTES.get(leaf.attribute, Text(leaf.attribute, leaf.attribute)).said(self.language)
        parts = [self._valued(label, leaf, "")] if comparisons(leaf) else []
        if leaf.within is not None:
            window = self._window(Window(within=leaf.within))
            parts.append(self.say(f"{label}在{window}", f"whose {label} lies {window}"))
        return self.say("且", " and ").join(parts)

    def _tag(self, leaf: TagIs) -> str:
        column = self.library.column(leaf.tag)
        words = {value: text.said(self.language) for value, text in column.words.items()}

        def shown(value: object) -> str:
            if column.kind == "share" and isinstance(value, int | float):
                return f"{value:.10g}" if value > 1 else f"{100 * value:.10g}%"
            return words.get(str(value), self._value(value))

        return self._valued(column.label.said(self.language), leaf, column.unit.said(self.language), shown)

    def _valued(
        self, label: str, comparison: Comparison, unit: str, shown: Callable[[object], str] | None = None
    ) -> str:
        said = self.say("且", " and ").join(self._compared(comparison, unit, shown))
        return self.say(f"{label}{said}", f"whose {label} is {said}")

    def _compared(
        self, comparison: Bounds | Comparison, unit: str = "", show: Callable[[object], str] | None = None
    ) -> list[str]:
        found: list[str] = []
        for name, value in comparisons(comparison):
            if name == "known":
                found.append(self.say("已知" if value else "未知", "known" if value else "unknown"))
                continue
            values = value if isinstance(value, tuple) else (value,)
            shown = [(show or self._value)(v) for v in values]
            text = self.say("至", " to ").join(shown) if name == "between" else self._or(shown)
            space = " " if unit and self.language == "en" else ""
            found.append(COMPARED[name].said(self.language).format(text + space + unit))
        return found

    def _value(self, value: object) -> str:
        if isinstance(value, bool):
            return self.say("是" if value else "否", "yes" if value else "no")
        if isinstance(value, int | float):
            return f"{value:,}" if abs(value) >= 10_000 else f"{value:g}" if isinstance(value, float) else str(value)
        return value.isoformat() if isinstance(value, date) else str(value)

    def _or(self, shown: list[str]) -> str:
        if len(shown) > 8:
            rest = len(shown) - 6
            shown = [*shown[:6], self.say(f"另外 {rest} 个", f"{rest} more")]
        return self.say("、", " or ").join(shown)

    def _score(self, leaf: ScoreIs) -> str:
        label = self.predictions.get(leaf.score, Text(leaf.score, leaf.score)).said(self.language)
        parts = [self.say(f"得分{said}", f"is {said}") for said in self._compared(leaf)]
        if leaf.top is not None:
            parts.append(self.say(f"得分最高的 {leaf.top}", f"is among the highest {leaf.top}"))
        if leaf.bottom is not None:
            parts.append(self.say(f"得分最低的 {leaf.bottom}", f"is among the lowest {leaf.bottom}"))
        return self.say(f"“{label}”{'且'.join(parts)}", f"whose score of “{label}” {' and '.join(parts)}")

    def _facts(self, leaf: Purchases | Events | Touches | Outcomes) -> str:
        if isinstance(leaf, Purchases):
            return self._purchases(leaf.purchases)
        body: EventFacts | TouchFacts | OutcomeFacts
        if isinstance(leaf, Events):
            body = leaf.events
        else:
            body = leaf.touches if isinstance(leaf, Touches) else leaf.outcomes
        said = self._match(body, never=_none(body.count))
        return self._placed(said, self._count(body.count, UNITS["times"]), self._window(body))

    def _purchases(self, body: PurchaseFacts) -> str:
        parts = [self._count(body.count, UNITS["times"])]
        if body.amount is not None:
            parts.append(self.say("金额", "for ") + self.say("且", " and ").join(self._compared(body.amount)))
        if body.products is not None:
            parts.append(self._count(body.products, UNITS["products"]))
        said = self.say("，", ", ").join(part for part in parts if part)
        return self._placed(self._match(body, never=_none(body.count)), said, self._window(body))

    def _count(self, count: Bounds | None, unit: Text) -> str:
        if count is None or _none(count):
            return ""
        said = self.say("且", " and ").join(self._compared(count))
        one = said.endswith(" 1")
        return self.say(f"{said}{unit.zh}", f"{said} {unit.en.removesuffix('s') if one else unit.en}")

    def _placed(self, said: str, count: str, window: str) -> str:
        if self.language == "zh":
            return f"{window.strip()}{said}{count}"
        return " ".join(part for part in (f"who {said}", count, window) if part)

    def _match(self, match: PurchaseMatch | EventMatch | TouchMatch | OutcomeMatch, *, never: bool = False) -> str:
        """What happened (or never did), without how often and when."""
        filters, no = self._filters(match), "没有" if never else ""
        if isinstance(match, PurchaseMatch):
            return self.say(f"{no}购买{filters}", f"{'did not buy' if never else 'bought'}{filters}")
        if isinstance(match, EventMatch):
            where = "".join(self._property(name, wanted) for name, wanted in match.where.items())
            said = f"“{self._or(list(match.name))}”{where}{filters}"
            return self.say(f"{no}发生{said}", f"{'did not do' if never else 'did'} {said}")
        if isinstance(match, OutcomeMatch):
            kind = self._or(list(match.kind)) if match.kind else self.say("任何结果", "any outcome")
            said = f"had {'no ' if never else ''}“{kind}” of a contact{filters}"
            return self.say(f"对触达{filters}{'没有' if never else '有'}“{kind}”", said)
        return self.say(f"{no}被触达{filters}", f"were {'not ' if never else ''}contacted{filters}")

    def _filters(self, match: PurchaseMatch | EventMatch | TouchMatch | OutcomeMatch) -> str:
        given = [(FILTERS[key], getattr(match, key, None)) for key in FILTERS]
        parts = [self._filter(label, words) for label, words in given if words]
        return "".join(parts)

    def _filter(self, label: Text, words: Words) -> str:
        said = self._or(list(words))
        return self.say(f"（{label.zh}：{said}）", f" ({label.en}: {said})")

    def _property(self, name: str, wanted: Comparison) -> str:
        said = self.say("且", " and ").join(self._compared(wanted))
        return self.say(f"（{name}{said}）", f" (with {name} {said})")

    def _sequence(self, body: Steps) -> str:
        window = self._window(body)
        steps = [self._step(step) for step in body.steps]
        span = self._length(body.span) if body.span else ""
        if self.language == "zh":
            limit = f"，首尾不超过 {span}" if span else ""
            return f"{window.strip()}先{'，再'.join(steps)}{limit}"
        limit = f", all within {span}" if span else ""
        return f"who first {', then '.join(steps)}{limit}" + (f" {window}" if window else "")

    def _step(self, step: Step) -> str:
        if isinstance(step, PurchaseStep):
            return self._match(step.purchases)
        if isinstance(step, EventStep):
            return self._match(step.events)
        return self._match(step.outcomes if isinstance(step, OutcomeStep) else step.touches)

    def _window(self, window: Window) -> str:
        if window.within is not None:
            length = self._length(window.within)
            return self.say(f"近 {length}内", f"in the last {length}")
        since, until = self._moment(window.since), self._moment(window.until)
        if since and until:
            return self.say(f"{since}至{until}之间", f"from {since} until {until}")
        if since:
            return self.say(f"自{since}以来", f"since {since}")
        return self.say(f"{until}以前", f"until {until}") if until else ""

    def _moment(self, moment: timedelta | date | None) -> str:
        if isinstance(moment, timedelta):
            length = self._length(moment)
            return self.say(f"{length}前", f"{length} ago")
        return moment.isoformat() if moment else ""

    def _length(self, length: timedelta) -> str:
        text = written(length)
        number, unit = int(text[:-1]), UNITS[text[-1]]
        return self.say(f"{number} {unit.zh}", f"{number} {unit.en if number != 1 else unit.en.removesuffix('s')}")


def _none(count: Bounds | None) -> bool:
    """Whether a bound on a count says that it never happened."""
    return count is not None and count.hold(0) and not count.hold(1)
