"""What a journey may do but seldom should: shown before it is applied, and no reason to refuse it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aimwell.strategy.journeys.conditions import Condition, Happened, SegmentIs
from aimwell.strategy.journeys.definition import EntryRule, Journey
from aimwell.strategy.journeys.nodes.split import SplitSettings

Place = tuple[str | int, ...]
Found = tuple[Place, str, str]
"""Where, what is wrong, and the remedy."""


def cautions(definition: Journey, contents: Mapping[str, str]) -> Iterator[Found]:
    """Everything of the kind in one journey.

    contents: by name the channel that each is written for; others are not looked at.
    """
    if definition.held_out_share == 0:
        yield ("hold_out",), "without a hold-out nobody can say what the journey changed", "write hold_out: 10%"
    yield from _ends_on_entry(definition)
    for name, node in definition.nodes.items():
        if isinstance(node.settings, SplitSettings):
            idle = [port for port, weight in node.settings.weights.items() if weight == 0]
            if idle and sum(node.settings.weights.values()) > 0:
                yield ("nodes", name, "split", "weights"), f"nobody goes by {', '.join(idle)}", ""
        for content, channel in node.implementation.messages(node.settings):
            written_for = contents.get(content, channel)
            if written_for != channel:
                said = f"the content {content!r} is written for {written_for} and goes out by {channel}"
                yield ("nodes", name, node.kind), said, f"write one with channel: {channel}"


def _ends_on_entry(definition: Journey) -> Iterator[Found]:
    """Goals and exit rules that hold in the very moment in which an entry lets people in."""
    said = {
        "goal": "what lets people in meets this goal at once: they finish as they enter, and get nothing",
        "exits": "what lets people in meets this exit rule at once: they leave as they enter",
    }
    for part, message in said.items():
        for name, condition in getattr(definition, part).items():
            if any(_meets(rule, condition) for rule in definition.entry):
                remedy = "name another event, or give it a filter: {event: {name: …, where: {…}}}"
                yield (part, name), message, remedy if isinstance(condition, Happened) else "name another segment"


def _meets(rule: EntryRule, condition: Condition) -> bool:
    """Whether everyone whom this entry lets in meets the condition by that alone."""
    if isinstance(condition, SegmentIs):
        return condition.segment in {rule.segment, rule.schedule.segment if rule.schedule else None}
    if not isinstance(condition, Happened) or rule.event is None or condition.since is not None:
        return False
    entering = rule.event.where
    return condition.event.name == rule.event.name and all(
        entering.get(name) == wanted for name, wanted in condition.event.where.items()
    )
