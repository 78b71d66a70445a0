"""Acts as the messages that the official libraries of the Segment specification send, each labelled as simulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aimwell.core.keys import number_of
from aimwell.simulation.app.addresses import address, addresser
from aimwell.simulation.app.calendars import Calendar
from aimwell.simulation.app.days import ACTS, PRODUCTS, Rows
from aimwell.simulation.app.habits import CHANNELS
from aimwell.simulation.app.people import ENGLISH_NAMES, SURNAMES, ZONES, AppPeople
from aimwell.simulation.chance import Integers

Message = dict[str, object]
LABEL = "simulated"
_GOODS = ("手机壳", "耳机", "咖啡机", "行李箱", "台灯", "电饭煲", "键盘", "雨伞")
_GOODS_ENGLISH = ("phone case", "headphones", "coffee maker", "suitcase", "lamp", "rice cooker", "keyboard", "umbrella")
_SERVER = frozenset(["limit_granted", "loan_taken", "salary_received", "deposit_matured", "account_closed"])


def product(item: int, *, english: bool) -> Mapping[str, object]:
    """A product of the app's shop."""
    kind = item % len(_GOODS)
    name = _GOODS_ENGLISH[kind] if english else _GOODS[kind]
    return {
        "product_id": f"G{item:03}",
        "name": f"{name} {item // len(_GOODS) + 1}",
        "price": 39 + 20 * ((item * 37) % PRODUCTS),
    }


@dataclass(frozen=True)
class Writer:
    """Writes acts of people as messages; equal acts give equal messages, with equal ids."""

    seed: int
    people: AppPeople
    calendar: Calendar

    def messages(self, rows: Rows) -> Iterator[Message]:
        """The messages of these acts, in their order."""
        stamps = timestamps(rows.at)
        user, visitor = addresser("user_id"), addresser("anonymous_id")
        columns = (rows.who.tolist(), rows.act.tolist(), rows.item.tolist(), rows.day.tolist(), rows.turn.tolist())
        zones, english = self.people.zone[rows.who].tolist(), self.people.english[rows.who].tolist()
        for who, act, item, day, turn, zone, speaks, stamp in zip(*columns, zones, english, stamps, strict=True):
            name = ACTS[act]
            message: Message = {
                "type": "track",
                "messageId": f"{LABEL}-{self.seed}-{who}-{day}-{act}-{turn}",
                "timestamp": stamp,
                "context": self._contexts[zone, speaks, name in _SERVER],
                "integrations": {},
            }
            if name == "home":
                message |= {"type": "page", "name": "Home", "anonymousId": visitor(who), "properties": {"path": "/"}}
            elif name == "identify":
                message |= {"type": "identify", "userId": user(who), "anonymousId": visitor(who)}
                message |= {"traits": self.traits(who), "context": self._own_context(who, message["context"])}
            elif name == "app_opened":
                message |= {"userId": user(who), "event": name, "properties": {"place": "icon"}}
            else:
                message |= {"userId": user(who), "event": name, "properties": self._properties(name, who, item, speaks)}
            yield message

    def traits(self, who: int) -> dict[str, object]:
        """What somebody tells of themselves at signing up."""
        people, english = self.people, bool(self.people.english[who])
        names = ENGLISH_NAMES if english else SURNAMES
        polite = "" if english else ("女士" if people.female[who] else "先生")
        born = np.datetime64(int(people.birth[who]), "D")
        found: dict[str, object] = {
            "name": f"{names[int(people.name[who]) % len(names)]}{polite}",
            "birth_date": str(born),
            "gender": "F" if people.female[who] else "M",
            "language": "en" if english else "zh",
            "timezone": ZONES[int(people.zone[who])],
            "consent": {channel: bool(people.consents[who, place]) for place, channel in enumerate(CHANNELS)},
        }
        for place, (channel, kind) in enumerate((("sms", "phone"), ("wechat", "wechat"), ("email", "email")), 1):
            if people.has[who, CHANNELS.index(channel)]:
                found[kind] = address(kind, who)
                found[f"{kind}_verified"] = place < 3
        return found

    def _own_context(self, who: int, shared: object) -> dict[str, object]:
        """The context of an identify call: with the device's token, if it lets itself be pushed to."""
        context = dict(shared) if isinstance(shared, dict) else {}
        if self.people.has[who, CHANNELS.index("push")]:
            context["device"] = {"type": "android" if who % 3 else "ios", "token": address("push_token", who)}
        return context

    def _properties(self, name: str, who: int, item: int, english: bool) -> Mapping[str, object]:  # noqa: FBT001
        people = self.people
        if name in {"product_viewed", "product_added", "checkout_started", "order_completed"}:
            return self._products[english][item]
        match name:
            case "loan_taken" | "limit_granted":
                return {"amount": int(people.loan[who]), "currency": "CNY"}
            case "salary_received":
                return {"amount": int(people.salary[who]), "currency": "CNY"}
            case "deposit_matured":
                return {"amount": int(people.deposit[who]), "term_days": int(people.term[who]), "currency": "CNY"}
            case _:
                return {}

    @cached_property
    def _products(self) -> Mapping[bool, list[Mapping[str, object]]]:
        return {
            english: [{**(one := product(item, english=english)), "amount": one["price"]} for item in range(PRODUCTS)]
            for english in (False, True)
        }

    @cached_property
    def _contexts(self) -> Mapping[tuple[int, bool, bool], dict[str, object]]:
        """Contexts, shared by everyone of a timezone and language; whoever receives them must not change them."""
        return {
            (zone, english, server): {
                "simulated": True,
                "library": {"name": "analytics-python" if server else "analytics.js", "version": "2.3.3"},
                **({} if server else {"locale": "en" if english else "zh-CN", "timezone": ZONES[zone]}),
            }
            for zone in range(len(ZONES))
            for english in (False, True)
            for server in (False, True)
        }


def act(seed: int, who: int, name: str, at: int, properties: Mapping[str, object], *, ident: str = "once") -> Message:
    """One act that something led to, as a message; `ident` tells several of one person apart.

    A first loan has the same id whatever led to it, so that the inbox keeps one of them.
    """
    return {
        "type": "track",
        "messageId": f"{LABEL}-{seed}-{name}-{who}-{number_of(ident):x}",
        "timestamp": timestamps(np.asarray([at]))[0],
        "userId": address("user_id", who),
        "event": name,
        "properties": dict(properties),
        "context": {"simulated": True},
        "integrations": {},
    }


def timestamps(millis: Integers) -> list[str]:
    """Instants as the libraries write them.

    >>> timestamps(np.asarray([0]))
    ['1970-01-01T00:00:00.000Z']
    """
    written: list[str] = np.datetime_as_string(millis.astype("datetime64[ms]"), unit="ms", timezone="UTC").tolist()
    return written
