"""The plain reference behind the verbs that a story is told with."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.strategy.journeys import reference_changes as changes
from tests.strategy.journeys.reference import Reference
from tests.strategy.journeys.reference_conditions import Known, Told
from tests.strategy.journeys.reference_product import Picture, signal_of
from tests.strategy.journeys.reference_stories import (
    HELD_OUT,
    HOME,
    Answers,
    Applies,
    Calls,
    Changes,
    Consents,
    Fails,
    Happens,
    Joins,
    Merges,
    Moves,
    Pauses,
    Step,
    Story,
    Ticks,
    as_row,
)
from tests.strategy.journeys.reference_versions import Applied


@dataclass
class Plain:
    """The reference behind the same verbs."""

    world: Reference
    bell: changes.Bell = field(default_factory=lambda: changes.Bell(HOME))

    @classmethod
    def begin(cls, story: Story) -> Plain:
        versions = {each.name: [Applied(each, story.begin)] for each in story.journeys}
        return cls(Reference(versions, Known(dict(story.zones)), frozenset({HELD_OUT})))

    def tell(self, step: Step) -> None:
        world, known = self.world, self.world.known
        match step:
            case Happens():
                world.happen(step.customer, signal_of(step.name), step.at, step.ref)
            case Joins():
                if step.member:
                    known.members[step.customer, step.segment] = step.at
                else:
                    known.members.pop((step.customer, step.segment), None)
                way = "enter" if step.member else "leave"
                world.happen(step.customer, f"{way}:{step.segment}", step.at, step.at.isoformat())
            case Changes():
                known.values.pop((step.customer, step.name), None)
                known.stated.pop((step.customer, step.name), None)
                if step.value is not None:
                    known.values[step.customer, step.name] = (step.value, step.at)
                    known.stated[step.customer, step.name] = step.at
            case Answers():
                if key := self._message(step.place):
                    known.told.add(Told(key, step.kind, step.at, step.machine))
            case Pauses():
                world.states[step.journey] = step.state
            case Ticks():
                self.bell.ring(world, step.at)
                world.tick(step.at)
            case _:
                self._change(step)

    def _change(self, step: Step) -> None:
        match step:
            case Calls():
                changes.call(self.world, step.journey, step.customers, step.at, step.request)
            case Fails():
                if key := self._message(step.place):
                    changes.fail(self.world, key, step.at)
            case Consents():
                changes.say_consent(self.world, step.customer, step.channel, step.granted, step.at)
            case Merges():
                changes.merge(self.world, step.kept, step.gone, step.at)
            case Applies():
                changes.apply(self.world, step.journey, step.at)
            case Moves():
                changes.move(self.world, step.journey, step.numbers, step.nodes, step.at)

    def _message(self, place: int) -> str | None:
        keys = sorted(self.world.wanted)
        return keys[place] if place < len(keys) else None

    def picture(self) -> Picture:
        stays, known = self.world.stays, self.world.known
        rows = {key: as_row(*key, value, since) for key, (value, since) in known.values.items() if value is not None}
        found: Picture = {
            "enrolments": [
                (
                    *(s.id, s.journey, s.version, s.customer, s.cause, s.number, s.entered_at),
                    *(s.state, s.reason, s.ended_at, s.node, s.visit, s.step, len(s.passages), s.at, s.timer_at),
                    s.ended_at if s.reason == "goal" else None,
                )
                for s in stays
            ],
            "passages": [
                (s.id, move, p.node, p.visit, p.arrived_at, p.left_at, p.port)
                for s in stays
                for move, p in enumerate(s.passages, 1)
            ],
            "intents": [
                (w.key, w.customer, w.channel, w.content, w.planned_at, w.expires_at, w.state, w.reason)
                for w in self.world.wanted.values()
            ],
            "consents": [(who, channel, *word) for (who, channel), word in known.consents.items()],
            "values": [tuple(row.values()) for row in rows.values()],
            "tasks": [(s.id, node, s.customer, at, "open") for s in stays for at, node in s.tasks.values()],
            "refusals": [(*key, *why) for key, why in self.world.refused.items()],
        }
        return {name: sorted(each, key=str) for name, each in found.items()}
