"""What a person decides about: messages in doubt, dead ones, suppressed addresses, and copies of the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.cli.conftest import Run
from tests.delivery.outbox.world import World, words

from aimwell.delivery.channel import Parcel, Receipt
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.policy import Policy, Retry
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.ledger import open_ledger
from aimwell.store.ledger.schema.people import customer, suppression

SETTINGS = """
name = "A shop"
currency = "CNY"
timezone = "Asia/Shanghai"
language = "en"

[identity]
calling_code = "86"

[channels.email]
kind = "mailbox"

[channels.sms]
kind = "mailbox"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def world(place: Path) -> Iterator[World]:
    """Two messages in doubt (ann's and bob's) and two dead (eve's and joe's), in the ledger of the workspace."""
    ledger = open_ledger(place / "ledger")
    world = World(ledger, Policy(quiet_hours=(), retry=Retry(attempts=1)))
    world.journey()
    fates = {"ann": "unknown", "bob": "unknown", "eve": "failed", "joe": "failed"}

    def answer(parcel: Parcel) -> Receipt:
        fate: Any = fates[parcel.customer_id]
        return Receipt(parcel.key, fate, detail=f"{fate} for a reason")

    for provider in world.providers.values():
        provider.answer = answer
    for name in fates:
        world.person(name)
        world.plan(name, channel="sms" if name == "joe" else "email")
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    yield world
    with ledger.reading() as connection:
        verify_balances(connection)
    ledger.close()


def listed(run: Run, place: Path, *more: str) -> dict[str, dict[str, Any]]:
    said = run("outbox", "list", "--json", "-w", str(place), *more)
    assert said.code == 0
    return {each["customer_id"]: each for each in json.loads(said.out)}


def test_messages_in_doubt_and_dead_ones_are_listed_with_their_reason(world: World, place: Path, run: Run) -> None:
    found = listed(run, place)
    assert {who: each["state"] for who, each in found.items()} == {
        "ann": "unknown",
        "bob": "unknown",
        "eve": "dead",
        "joe": "dead",
    }
    assert found["eve"]["detail"] == "failed for a reason"
    assert set(listed(run, place, "--state", "dead", "--channel", "sms")) == {"joe"}
    assert len(listed(run, place, "--most", "1")) == 2
    said = run("outbox", "list", "--most", "1", "-w", str(place))
    assert "in doubt" in said.out
    assert "Only the oldest 1 are listed" in said.out
    assert "已放弃" in run("outbox", "list", "--language", "zh", "-w", str(place)).out


def test_a_person_says_what_became_of_a_message_in_doubt(world: World, place: Path, run: Run) -> None:
    keys = {who: each["key"] for who, each in listed(run, place).items()}
    for who, verdict, state in (
        ("ann", "accepted", ("accepted", None)),
        ("bob", "refused", ("not_sent", "refused")),
    ):
        assert run("outbox", "resolve", keys[who], "--as", verdict, "-w", str(place)).code == 0
        assert world.state(keys[who]) == state
    again = run("outbox", "resolve", keys["ann"], "--as", "retry", "-w", str(place))
    assert again.code == 2
    assert "state accepted" in again.err
    assert run("outbox", "resolve", keys["ann"], "--as", "lost", "-w", str(place)).code == 2
    assert set(listed(run, place)) == {"eve", "joe"}


def test_dead_messages_are_revived_by_key_or_by_channel(world: World, place: Path, run: Run) -> None:
    keys = {who: each["key"] for who, each in listed(run, place).items()}
    assert run("outbox", "revive", keys["ann"], "-w", str(place)).code == 2
    assert run("outbox", "revive", "-w", str(place)).code == 2
    assert run("outbox", "revive", keys["eve"], "--channel", "sms", "-w", str(place)).code == 2
    assert run("outbox", "revive", keys["eve"], "-w", str(place)).code == 0
    assert json.loads(run("outbox", "revive", "--channel", "sms", "--json", "-w", str(place)).out) == {
        "revived": [keys["joe"]]
    }
    assert {world.state(keys[who]) for who in ("eve", "joe")} == {("waiting", "retry")}
    assert set(listed(run, place)) == {"ann", "bob"}


def test_where_nothing_waits_for_a_person_that_is_said(place: Path, run: Run) -> None:
    assert "No message waits for a person" in run("outbox", "list", "-w", str(place)).out
    assert "No address is suppressed" in run("suppression", "list", "-w", str(place)).out


def test_an_address_is_suppressed_as_identifiers_are_kept_and_allowed_again(place: Path, run: Run) -> None:
    where = ("-w", str(place))
    assert "nothing is sent" in run("suppression", "add", " Ann@Example.COM ", *where).out
    assert "the first reason stays" in run("suppression", "add", "ann@example.com", "--why", "again", *where).out
    assert run("suppression", "add", "138 0013 8000", "--why", "asked by letter", *where).code == 0
    assert run("suppression", "add", "o6_bmj", "--kind", "wechat", *where).code == 0
    assert run("suppression", "add", "o6_bmj", *where).code == 2
    found = json.loads(run("suppression", "list", "--json", *where).out)
    assert {(each["kind"], each["value"], each["reason"]) for each in found} == {
        ("email", "ann@example.com", "by hand"),
        ("phone", "+8613800138000", "asked by letter"),
        ("wechat", "o6_bmj", "by hand"),
    }
    assert run("suppression", "release", "ann@example.com", *where).code == 0
    assert run("suppression", "release", "ann@example.com", *where).code == 2
    only = run("suppression", "list", "--kind", "phone", *where).out
    assert "asked by letter" in only
    assert "o6_bmj" not in only


def test_a_suppressed_address_gets_nothing_that_already_waits(world: World, place: Path, run: Run) -> None:
    keys = {who: each["key"] for who, each in listed(run, place).items()}
    with world.ledger.writing() as connection:
        connection.execute(
            insert(suppression).values(
                kind="email", value="eve@email", reason="by hand", since=world.now, source="tests"
            )
        )
    run("outbox", "revive", keys["eve"], "-w", str(place))
    world.now = datetime.now(UTC)
    claim(world.desk, world.now)
    assert world.state(keys["eve"]) == ("not_sent", "suppressed")


def test_a_copy_of_the_ledger_opens_and_no_copy_is_written_over(world: World, place: Path, run: Run) -> None:
    copy = place / "copies" / "one"
    said = run("ledger", "back-up", str(copy), "-w", str(place))
    assert (said.code, "was copied" in said.out) == (0, True)
    opened = open_ledger(copy)
    with opened.reading() as connection:
        assert set(connection.scalars(select(customer.c.customer_id))) == {"ann", "bob", "eve", "joe"}
    opened.close()
    assert run("ledger", "back-up", str(copy), "-w", str(place)).code == 2


def test_a_password_is_not_written_on_the_command_line(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("ledger", "move", "postgresql://me:secret@host/db", "-w", str(place))
    assert said.code == 2
    assert "secret" not in said.out + said.err
    monkeypatch.delenv("AIMWELL_LEDGER", raising=False)
    assert run("ledger", "move", "AIMWELL_LEDGER", "-w", str(place)).code == 2


def test_a_ledger_moves_to_postgresql_with_everything_in_it(
    world: World, place: Path, run: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIMWELL_LEDGER", postgres_url)
    said = run("ledger", "move", "AIMWELL_LEDGER", "--json", "-w", str(place))
    assert said.code == 0
    assert json.loads(said.out)["rows"]["customer"] == 4
    (place / "aimwell.toml").write_text(SETTINGS + '\n[ledger]\nurl_env = "AIMWELL_LEDGER"\n', encoding="utf-8")
    assert set(listed(run, place)) == {"ann", "bob", "eve", "joe"}
    for words_ in (("move", "AIMWELL_LEDGER"), ("back-up", str(place / "copy"))):
        assert run("ledger", *words_, "-w", str(place)).code == 2
