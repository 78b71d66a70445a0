"""Openings and clicks that no person made: scanners of mail, previews in chats, prefetching clients, sweeps of links.

What is recognised here is marked and never counts towards a goal. Better a person too few than a machine too many: the
funnel shows both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

SWEEP = timedelta(seconds=10)
"""All links of a message (two or more) followed within this time of its delivery: a scanner."""

AT_ONCE = timedelta(seconds=2)
"""A click within this time of delivery: nobody reads so fast."""

Sign = Literal["head_request", "prefetch", "known_client", "no_client", "at_once", "all_links"]

# Names of clients that fetch before or without a person: link previews, security scanners, tools; and the bare
# "Mozilla/5.0" with which Apple's mail fetches all pictures ahead. Gmail's picture proxy fetches when somebody opens.
_CLIENTS = re.compile(
    r"bot\b|bot/|crawler|spider|preview|prefetch|scanner|safelinks|mimecast|proofpoint|barracuda|symantec|ironport"
    r"|cloudmark|trendmicro|fortiguard|bingbot|microsoft office.*existence"
    r"|facebookexternalhit|whatsapp/|telegrambot|slackbot|discordbot|twitterbot|linkedinbot|skypeuripreview"
    r"|headlesschrome|phantomjs|python-requests|python-urllib|aiohttp|httpx|curl/|wget/|go-http-client|okhttp/|java/"
    r"|^mozilla/5\.0$|libwww-perl|apache-httpclient|node-fetch|axios/|checklink|link ?check|monitor|uptime",
    re.IGNORECASE,
)
_ASKING_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@dataclass(frozen=True, slots=True)
class Hit:
    """One request for a link or picture of a message.

    number: of the link from 1; 0 for the picture.   headers: as they came, names in any case.
    """

    at: datetime
    number: int
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


def sign_of_machine(hit: Hit) -> Sign | None:
    """What in a single request shows a machine; None if nothing does.

    >>> from datetime import UTC
    >>> sign_of_machine(Hit(datetime(2026, 1, 1, tzinfo=UTC), 1, "HEAD"))
    'head_request'
    """
    headers = {name.lower(): value for name, value in hit.headers.items()}
    if hit.method.upper() != "GET":
        return "head_request"
    if any(
        "prefetch" in headers.get(name, "").lower() or "preview" in headers.get(name, "").lower()
        for name in _ASKING_AHEAD
    ):
        return "prefetch"
    client = headers.get("user-agent", "").strip()
    if not client:
        return "no_client"
    return "known_client" if _CLIENTS.search(client) else None


def judge(hits: Sequence[Hit], *, delivered_at: datetime, links: int) -> Sequence[Sign | None]:
    """For each request about one message, what shows that a machine made it; None where it may have been a person.

    Judge all of a message's requests together, and again when `SWEEP` has passed: only then it is known whether every
    link was followed.
    hits: in any order.   links: how many links the message has.   An empty list gives an empty answer.
    """
    early = {hit.number for hit in hits if hit.number and hit.at - delivered_at <= SWEEP}
    swept = links >= 2 and early >= set(range(1, links + 1))
    return [sign_of_machine(hit) or _too_early(hit, delivered_at, swept=swept) for hit in hits]


def _too_early(hit: Hit, delivered_at: datetime, *, swept: bool) -> Sign | None:
    if not hit.number:
        return None
    since = hit.at - delivered_at
    if since <= AT_ONCE:
        return "at_once"
    return "all_links" if swept and since <= SWEEP else None
