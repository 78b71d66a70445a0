"""Makes the words of messages: the content of the enrolment's own version, with what is known of the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, select

from aimwell.content.definition import Content
from aimwell.content.templates import Failed, render
from aimwell.delivery.channel import Parcel
from aimwell.delivery.links import Links
from aimwell.delivery.outbox.outlet import Claimed, NotRendered
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.people import customer, profile
from aimwell.strategy.journeys.version import version_contents

_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Writer:
    """Renders batches of claimed messages; contents are compiled once per version.

    language: the workspace's, for customers of whom none is known.   company: the name of the workspace.
    links: makes links that tell who followed them; without it links stay as they were written.
    clock: the instant at which messages count as sent, by default the real one.
    """

    ledger: Ledger
    language: str
    company: str
    simulated: bool = False
    links: Links | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _contents: dict[tuple[int, str], Content | None] = field(default_factory=dict)

    def __call__(self, batch: Sequence[Claimed]) -> list[Parcel | NotRendered]:
        """The words of each message, or why there are none for this person."""
        with self.ledger.reading() as connection:
            people = _people(connection, sorted({each.customer_id for each in batch}))
            for version_id, name in {(each.version_id, each.content) for each in batch} - self._contents.keys():
                self._contents[version_id, name] = _content(connection, version_id, name)
        return [self._write(each, people.get(each.customer_id, {})) for each in batch]

    def _write(self, message: Claimed, person: Mapping[str, object]) -> Parcel | NotRendered:
        content = self._contents[message.version_id, message.content]
        if content is None:
            return NotRendered(message.key, f"the version has no content {message.content!r}")
        language = person.get("language")
        wording = content.wording(language if isinstance(language, str) else None, otherwise=self.language)
        values = {**person, "company": self.company, "journey": message.journey}
        if self.links is not None:
            values["unsubscribe_link"] = self.links.unsubscribe(message.key)
        rendered = render(content.compiled[wording], values)
        if isinstance(rendered, Failed):
            return NotRendered(message.key, rendered.detail)
        parts = self._tracked(message, content, rendered.parts)
        who = (message.key, message.customer_id, message.address)
        return Parcel(*who, parts, simulated=self.simulated, at=self.clock())

    def _tracked(self, message: Claimed, content: Content, parts: Mapping[str, str]) -> Mapping[str, str]:
        """The parts with links that tell who followed them, and marketing by e-mail with one to unsubscribe by."""
        if self.links is None:
            return parts
        tracked = dict(self.links.track(message.key, parts).parts)
        if content.purpose == "marketing" and "subject" in parts:
            tracked.setdefault("unsubscribe", self.links.unsubscribe(message.key))
        return tracked


def _content(connection: Connection, version_id: int, name: str) -> Content | None:
    written = version_contents(connection, version_id).get(name)
    return None if written is None else Content.model_validate(written)


def _people(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, object]]:
    """What is known of customers, by name of the value; dates as dates, whole numbers without a fraction."""
    people: dict[str, dict[str, object]] = {}
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        for row in connection.execute(
            select(customer.c.customer_id, customer.c.language, customer.c.zone).where(customer.c.customer_id.in_(some))
        ):
            people[row.customer_id] = {"customer_id": row.customer_id, "language": row.language, "timezone": row.zone}
        values = select(profile.c.customer_id, profile.c.name, profile.c.text, profile.c.number)
        for customer_id, name, text, number in connection.execute(values.where(profile.c.customer_id.in_(some))):
            people.setdefault(customer_id, {})[name] = _value(text, number)
    return people


def _value(text: str | None, number: float | None) -> object:
    if text in ("true", "false") and number is not None:
        return text == "true"
    if text is not None and number is not None:
        return _EPOCH + timedelta(days=int(number))
    if text is not None or number is None:
        return text
    return int(number) if number == int(number) else number
