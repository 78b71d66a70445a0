"""What messages say about who is who and about the people: read message by message, gathered in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from aimwell.core.errors import BadQuestion
from aimwell.core.time import zone
from aimwell.insight.identity.addresses import normalise
from aimwell.insight.identity.resolution import ANONYMOUS, USER, Link, Node, Pair, pair
from aimwell.insight.identity.traits import Value, flatten
from aimwell.store.ledger.columns import DAY
from aimwell.store.ledger.consents import ALL_CHANNELS, PURPOSES

PUSH_TOKEN = "push_token"  # noqa: S105 (the kind of an identifier, no secret)
_LONGEST_CHANNEL = 64


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """How identities are resolved in a workspace.

    zone: IANA timezone of customers of whom nothing is known.   hold_out: share of customers who get no marketing.
    address_kinds: traits that are addresses; each is an identifier of that kind.
    calling_code: digits of the country whose telephone numbers are written without one.
    believe_traits: `email_verified: true` counts from any write key; otherwise only trusted keys verify.
    limit: an address verified by more user ids than this joins nobody.
    most_traits: attributes that traits may give to one customer.
    """

    zone: str = "UTC"
    hold_out: float = 0.0
    address_kinds: frozenset[str] = frozenset({"email", "phone", "wechat"})
    calling_code: str | None = None
    believe_traits: bool = True
    limit: int = 3
    most_traits: int = 500


class IdentityMessage(NamedTuple):
    """The part of a stored message that identity needs; instants in microseconds."""

    seq: int
    message_id: str
    trusted: bool
    kind: str
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    occurred_at: int
    traits: str
    context: str

    @property
    def actor(self) -> Node:
        """The identifier whose customer did it: the user id, without one the anonymous id."""
        if self.user_id is not None:
            return Node(USER, self.user_id)
        return Node(ANONYMOUS, self.anonymous_id or "")


@dataclass(slots=True)
class Naming:
    """What is known of a pair: first and last named together, whether verified, and the message that was first."""

    at: int
    last_at: int
    verified: bool
    source: str

    def add(self, other: Naming) -> None:
        """Take in what another message says; the order of messages does not matter."""
        self.at, self.source = min((self.at, self.source), (other.at, other.source))
        self.last_at = max(self.last_at, other.last_at)
        self.verified = self.verified or other.verified


class StatedValue(NamedTuple):
    """A profile value as somebody stated it."""

    actor: Node
    name: str
    value: Value
    at: int
    message_id: str


class StatedConsent(NamedTuple):
    """A consent as somebody stated it."""

    actor: Node
    channel: str
    purpose: str
    granted: bool
    at: int
    message_id: str


@dataclass(slots=True)
class Evidence:
    """Everything that some messages say: the identifiers seen (first, last), pairs, profile values and consents."""

    seen: dict[Node, tuple[int, int]] = field(default_factory=dict)
    pairs: dict[Pair, Naming] = field(default_factory=dict)
    values: dict[tuple[Node, str, int], StatedValue] = field(default_factory=dict)
    consents: list[StatedConsent] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def links(self) -> list[Link]:
        return [Link(a, b, naming.at, naming.verified) for (a, b), naming in self.pairs.items()]

    def see(self, node: Node, at: int) -> None:
        first, last = self.seen.get(node, (at, at))
        self.seen[node] = min(first, at), max(last, at)

    def name(self, one: Node, other: Node, message: IdentityMessage, *, verified: bool = True) -> None:
        if one == other:
            return
        naming = Naming(message.occurred_at, message.occurred_at, verified, message.message_id)
        known = self.pairs.setdefault(pair(one, other), naming)
        if known is not naming:
            known.add(naming)

    def state(self, stated: StatedValue) -> None:
        """Keep a value; of several by one person, of one attribute and instant, the largest counts."""
        key = (stated.actor, stated.name, stated.at)
        known = self.values.get(key)
        if known is None or rank(stated.value) > rank(known.value):
            self.values[key] = stated


class _Context(msgspec.Struct):
    """The few parts of a context that are read; of any type, for nothing was checked yet."""

    timezone: object = None
    locale: object = None
    consent: object = None
    device: object = None


_decode_context = msgspec.json.Decoder(_Context).decode


def rank(value: Value) -> tuple[bool, str, float]:
    """Which of two values stated at one instant counts: the larger; nothing loses to anything."""
    return (
        value.text is not None or value.number is not None,
        value.text or "",
        float("-inf") if value.number is None else value.number,
    )


def gather(messages: Iterable[IdentityMessage], settings: IdentitySettings) -> Evidence:
    """What these messages say together; the same for any order, and for messages that come twice."""
    evidence = Evidence()
    for message in messages:
        actor = message.actor
        evidence.see(actor, message.occurred_at)
        if message.kind == "identify":
            _read_identify(message, actor, settings, evidence)
        elif message.kind == "alias" and message.previous_id:
            evidence.name(Node(USER, message.previous_id), actor, message)
            evidence.name(Node(ANONYMOUS, message.previous_id), actor, message)
        _read_context(message, actor, evidence)
    return evidence


def _read_identify(message: IdentityMessage, actor: Node, settings: IdentitySettings, evidence: Evidence) -> None:
    if message.anonymous_id and actor.kind == USER:
        device = Node(ANONYMOUS, message.anonymous_id)
        evidence.see(device, message.occurred_at)
        evidence.name(device, actor, message)
    if message.traits == "{}":
        return
    traits: dict[str, object] = msgspec.json.decode(message.traits)
    _read_addresses(message, actor, traits, settings, evidence)
    _read_consent(message, actor, traits.pop("consent", None), evidence)
    for name, value in flatten(traits):
        if value is None:
            evidence.left_out["name_or_text_too_long"] += 1
        elif name not in ("timezone", "language", "locale"):
            evidence.state(StatedValue(actor, name, value, message.occurred_at, message.message_id))
    locale = traits.get("language", traits.get("locale"))
    _read_locality(message, message.occurred_at, traits.get("timezone"), locale, evidence)


def _read_addresses(
    message: IdentityMessage,
    actor: Node,
    traits: Mapping[str, object],
    settings: IdentitySettings,
    evidence: Evidence,
) -> None:
    for kind in settings.address_kinds & traits.keys():
        address = normalise(kind, traits[kind], settings.calling_code)
        if address is None:
            evidence.left_out[f"no_{kind}"] += traits[kind] is not None
            continue
        said = traits.get(f"{kind}_verified")
        verified = (message.trusted and said is not False) or (settings.believe_traits and said is True)
        evidence.name(Node(kind, address), actor, message, verified=verified)


def _read_context(message: IdentityMessage, actor: Node, evidence: Evidence) -> None:
    text = message.context
    if not ('"timezone"' in text or '"locale"' in text or '"consent"' in text or '"device"' in text):
        return
    context, at = _decode_context(text), message.occurred_at
    _read_consent(message, actor, context.consent, evidence)
    if message.kind != "identify":  # to the day, so that hundreds of events of a day are one write
        at = at // DAY * DAY
    elif isinstance(context.device, dict):
        token = normalise(PUSH_TOKEN, context.device.get("token"))
        if token:
            evidence.name(Node(PUSH_TOKEN, token), actor, message, verified=False)
    _read_locality(message, at, context.timezone, context.locale, evidence)


def _read_locality(message: IdentityMessage, at: int, timezone: object, locale: object, evidence: Evidence) -> None:
    """Timezone and language, where they are valid; both are attributes of the profile too."""
    for name, content in (("timezone", _known_zone(timezone)), ("language", _language(locale))):
        if content:
            value = Value(content, None)
            evidence.state(StatedValue(message.actor, name, value, at, message.message_id))
    if timezone is not None and not _known_zone(timezone):
        evidence.left_out["unknown_timezone"] += 1


def _known_zone(name: object) -> str | None:
    if not isinstance(name, str):
        return None
    if name not in _ZONES:
        if len(_ZONES) > 2_000:  # names come from outside: what was wrong once need not be remembered for ever
            _ZONES.clear()
        try:
            _ZONES[name] = zone(name).key
        except BadQuestion:
            _ZONES[name] = None
    return _ZONES[name]


_ZONES: dict[str, str | None] = {}


def _language(locale: object) -> str | None:
    """The language of a locale: zh of zh-CN and zh_Hans_CN."""
    if not isinstance(locale, str):
        return None
    language = locale.replace("_", "-").split("-")[0].lower()
    return language if 2 <= len(language) <= 3 and language.isascii() and language.isalpha() else None


def _read_consent(message: IdentityMessage, actor: Node, content: object, evidence: Evidence) -> None:
    """`true` for all channels; `{"email": true}` for marketing; `{"sms": {"marketing": false}}` by purpose."""
    if content is None:
        return
    by_channel = content if isinstance(content, dict) else {ALL_CHANNELS: content}
    for channel, said in by_channel.items():
        by_purpose = said if isinstance(said, dict) else {PURPOSES[0]: said}
        for purpose, granted in by_purpose.items():
            if isinstance(granted, bool) and purpose in PURPOSES and 0 < len(channel) <= _LONGEST_CHANNEL:
                evidence.consents.append(
                    StatedConsent(actor, channel, purpose, granted, message.occurred_at, message.message_id)
                )
            else:
                evidence.left_out["unreadable_consent"] += 1
