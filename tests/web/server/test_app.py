"""The whole application: links, pictures, unsubscribing, on-site messages, callbacks, and questions with their key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select

from aimwell.delivery.channel import Parcel
from aimwell.delivery.links import Links
from aimwell.delivery.opening import channels_of, links_of, open_desk
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.ledger.schema.people import consent
from aimwell.store.workspace import open_workspace
from aimwell.web.server.app import application
from aimwell.web.server.keys import key_of
from aimwell.web.server.run import serving

SETTINGS = """
name = "A shop"
currency = "CNY"
timezone = "Asia/Shanghai"
language = "en"

[links]
base = "https://go.shop.example"

[channels.mailbox]
[channels.onsite]
"""
TRUSTED, PAGE = "a-trusted-secret-of-ours", "a-secret-that-pages-have"
SENT = datetime(2026, 3, 2, 4, tzinfo=UTC)
READER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


class Shop:
    """A running application with one message sent, and an instant that tests move."""

    def __init__(self, client: httpx.Client, ledger: Ledger, links: Links, folder: Path) -> None:
        self.client, self.ledger, self.links, self.folder = client, ledger, links, folder
        self.now = SENT + timedelta(minutes=5)

    def get(self, address: str, **headers: str) -> int:
        answer: httpx.Response = self.client.get(here(address), headers=headers or READER)
        return answer.status_code

    def outcomes(self) -> list[tuple[str, bool]]:
        with self.ledger.reading() as connection:
            rows = connection.execute(select(outcome.c.kind, outcome.c.machine).order_by(outcome.c.at, outcome.c.kind))
            return [(row.kind, row.machine) for row in rows]


def here(address: str) -> str:
    """The path of an address that is seen from outside."""
    return address.removeprefix("https://go.shop.example")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("AIMWELL_LINK_SECRET", "a secret of at least sixteen bytes")
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    workspace = open_workspace(tmp_path)
    links = links_of(workspace)
    assert links is not None
    keys = [key_of("ours", TRUSTED, trusted=True), key_of("page", PAGE, origins=["https://shop.example"])]
    with workspace.ledger() as ledger, open_desk(workspace, ledger, SENT, worker="web") as desk:
        with ledger.writing() as connection:
            connection.execute(insert(intent), [sent_message("1:hello:1:1")])
        channels = channels_of(workspace)
        app = application(tmp_path, ledger, desk, channels, keys, links=links, clock=lambda: found.now)
        with serving(app) as address, httpx.Client(base_url=address, timeout=30) as client:
            found = Shop(client, ledger, links, tmp_path)
            desk.outlets["onsite"].channel.send([Parcel("1:hello:1:1", "ann", "ann", {"text": "Hello"}, at=SENT)])
            yield found


def sent_message(key: str) -> dict[str, object]:
    return {
        "key": key,
        "enrolment_id": 1,
        "journey": "hello",
        "version_id": 1,
        "node": "hello",
        "visit": 1,
        "step": 1,
        "customer_id": "ann",
        "shard": 1,
        "channel": "mailbox",
        "content": "hello",
        "purpose": "marketing",
        "planned_at": SENT,
        "state": "accepted",
        "contacted_at": SENT,
        "accepted_at": SENT,
        "changed_at": SENT,
    }


def test_a_link_leads_where_it_was_written_to_and_counts_once(shop: Shop) -> None:
    address = shop.links.address("link", "1:hello:1:1", number=1, of=1, target="https://shop.example/sale?a=1&b=2")
    for _ in range(2):
        answer = shop.client.get(here(address), headers=READER)
        assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/sale?a=1&b=2")
    assert shop.outcomes() == [("clicked", False)]


def test_an_address_that_was_changed_leads_nowhere(shop: Shop) -> None:
    address = shop.links.address("link", "1:hello:1:1", number=1, of=1, target="https://shop.example/")
    assert shop.get(address.replace("shop.example%2F", "evil.example%2F")) == 400
    assert shop.get("https://go.shop.example/t/l/made-up") == 400
    assert shop.outcomes() == []


def test_what_machines_fetch_is_marked(shop: Shop) -> None:
    picture = shop.links.address("open", "1:hello:1:1", number=0, of=1, target="")
    first = shop.links.address("link", "1:hello:1:1", number=1, of=2, target="https://shop.example/")
    assert shop.get(picture, **{"User-Agent": "Slackbot-LinkExpanding 1.0"}) == 200
    shop.now = SENT + timedelta(seconds=8)
    assert shop.get(first) == 302  # one of two links, before anybody has read
    shop.now = SENT + timedelta(minutes=1)
    assert shop.get(picture) == 200
    assert sorted(shop.outcomes()) == [("clicked", True), ("opened", False), ("opened", True)]


def test_unsubscribing_asks_first_and_works_by_one_post(shop: Shop) -> None:
    address = shop.links.unsubscribe("1:hello:1:1")
    assert "Get no more messages" in shop.client.get(here(address)).text
    assert "不再" in shop.client.get(here(address), headers={"Accept-Language": "zh-CN"}).text
    assert shop.outcomes() == []
    answer = shop.client.post(here(address), content="List-Unsubscribe=One-Click")
    assert answer.status_code == 200
    assert shop.outcomes() == [("unsubscribed", False)]
    with shop.ledger.reading() as connection:
        assert connection.execute(select(consent.c.channel, consent.c.granted)).all() == [("mailbox", False)]


def test_a_page_gets_the_messages_of_its_customer_alone(shop: Shop) -> None:
    asked = shop.client.get("/api/onsite/ann", auth=(TRUSTED, ""))
    address = here(asked.json()["address"])
    (message,) = shop.client.get(address).json()["messages"]
    assert message["parts"] == {"text": "Hello"}
    assert shop.client.post(address, json={"key": message["key"], "what": "clicked"}).status_code == 200
    assert shop.client.get(address).json() == {"messages": []}
    assert shop.client.post(address, json={"key": "2:other:1:1", "what": "seen"}).status_code == 404
    assert shop.client.get(here(shop.links.onsite("bob"))).json() == {"messages": []}
    assert shop.client.get(address[:-4] + "AAAA").status_code == 400


@pytest.mark.parametrize("address", ["/api/journeys/hello/funnel", "/api/journeys/hello/why/ann", "/api/onsite/ann"])
def test_questions_need_a_trusted_key(shop: Shop, address: str) -> None:
    assert shop.client.get(address).status_code == 401
    assert shop.client.get(address, auth=("no-such-key-at-all", "")).status_code == 401
    assert shop.client.get(address, auth=(PAGE, "")).status_code == 403


def test_why_answers_in_words_and_calls_name_what_they_lack(shop: Shop) -> None:
    told = shop.client.get("/api/journeys/hello/why/ann", params={"lang": "zh"}, auth=(TRUSTED, "")).json()
    assert told["customer_id"] == "ann"
    calls = {"customers": ["ann"], "request": "one"}
    refused = shop.client.post("/api/journeys/hello/enrol", json=calls, auth=(TRUSTED, ""))
    assert (refused.status_code, "lets nobody in by a call" in refused.json()["detail"]) == (404, True)
    assert shop.client.post("/api/journeys/hello/enrol", json={}, auth=(TRUSTED, "")).status_code == 422


def test_callbacks_are_believed_by_their_signature_alone(shop: Shop) -> None:
    assert shop.client.post("/callbacks/nothing", content=b"{}").status_code == 404
    assert shop.client.post("/callbacks/mailbox", content=b"{}").status_code == 401
    assert shop.client.post("/callbacks/mailbox", content=b"x" * 1_000_001).status_code == 413
    assert micros(SENT) > 0


def test_events_come_by_the_same_addresses_and_an_error_of_our_own_is_a_problem(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = {"type": "track", "event": "Paid", "userId": "ann", "messageId": "one"}
    assert shop.client.post("/v1/track", json=call, auth=(PAGE, "")).json()["accepted"] == 1
    monkeypatch.setattr("aimwell.web.server.desk.parse_call", lambda *_, **__: 1 / 0)
    broken = shop.client.post("/v1/track", json=call, auth=(PAGE, ""))
    assert (broken.status_code, broken.json()["code"]) == (500, "broken")


def test_the_addresses_are_described(shop: Shop) -> None:
    described = shop.client.get("/openapi.json").json()["paths"]
    assert set(described["/v1/batch"]) == {"post"}
    assert set(described["/t/l/{token}"]) == {"get"}
    assert shop.client.head(here(shop.links.onsite("ann")).replace("/s/", "/l/")).status_code == 400
