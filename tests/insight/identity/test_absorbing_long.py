from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from tests.insight.identity.books import NOW, SETTINGS, absorb_all, customers, dump, empty, post, tell
from tests.insight.identity.letters import letters, message

from aimwell.core.keys import shard_of
from aimwell.insight.identity.absorbing import absorb
from aimwell.insight.identity.evidence import IdentityMessage, IdentitySettings, gather
from aimwell.insight.identity.graph import IDS
from aimwell.insight.identity.lookup import resolve, resolve_messages
from aimwell.insight.identity.resolution import ANONYMOUS, USER, Node, resolve_links
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.store.ledger.schema.journeys import listening
from aimwell.store.ledger.schema.people import customer

few = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@few
@given(messages=letters(), random=st.randoms(use_true_random=False), limit=st.integers(1, 6))
def test_the_ledger_agrees_with_the_plain_rules_whatever_order_repetition_and_batches(
    ledger: Ledger, messages: list[IdentityMessage], random: Random, limit: int
) -> None:
    empty(ledger)
    evidence = gather(messages, SETTINGS)
    expected = resolve_links(evidence.links(), evidence.seen, limit=SETTINGS.limit)
    shuffled = messages + messages[::2]
    random.shuffle(shuffled)
    post(ledger, shuffled)
    absorb_all(ledger, limit=limit)
    assert customers(ledger) == expected
    with ledger.reading() as connection:
        assert set(connection.scalars(select(customer.c.customer_id))) == set(expected.values())
    addresses = {
        (node.kind, node.value, expected[actor])
        for both in evidence.pairs
        for node, actor in (both, both[::-1])
        if node.kind not in IDS
    }
    rows = [row for row in dump(ledger, "identifier")["identifier"] if row["kind"] not in IDS]
    assert {(row["kind"], row["value"], row["customer_id"]) for row in rows} == addresses


@few
@given(messages=letters(), limit=st.integers(1, 6))
def test_the_same_messages_again_change_nothing(ledger: Ledger, messages: list[IdentityMessage], limit: int) -> None:
    """Where ids went from one customer to another meanwhile, what they said before is with both: see docs."""
    empty(ledger)
    tables = ["customer", "identifier", "link", "merge", "happening"]
    post(ledger, messages)
    if not sum(absorbed.partings for absorbed in absorb_all(ledger, limit=limit)):
        tables += ["profile", "consent"]
    before = dump(ledger, *tables)
    with ledger.writing() as connection:
        connection.execute(update(cursor).values(position=0))
    absorb_all(ledger, limit=limit)
    assert dump(ledger, *tables) == before


VALUES = st.sampled_from(["gold", "blue", 1, True, None, "2024-01-01"])
SAID = st.tuples(st.sampled_from(["ann", "bob"]), st.integers(1, 5), VALUES, st.sampled_from([True, False, None]))


@few
@given(said=st.lists(SAID, min_size=1, max_size=10), random=st.randoms(use_true_random=False), limit=st.integers(1, 4))
def test_the_last_word_holds_whatever_the_order_of_arrival(
    ledger: Ledger, said: list[tuple[str, int, object, bool | None]], random: Random, limit: int
) -> None:
    messages = [
        message(number, "identify", who, at=at, traits={"plan": value, **({} if yes is None else {"consent": yes})})
        for number, (who, at, value, yes) in enumerate(said)
    ]

    def held() -> list[tuple[object, ...]]:
        found = dump(ledger, "profile", "consent")
        return [
            *((row["customer_id"], row["text"], row["number"], row["stated_at"]) for row in found["profile"]),
            *((row["customer_id"], row["granted"], row["since"], row["source"]) for row in found["consent"]),
        ]

    empty(ledger)
    tell(ledger, *messages)
    expected = held()
    empty(ledger)
    random.shuffle(messages)
    post(ledger, messages)
    absorb_all(ledger, limit=limit)
    assert held() == expected


def test_a_new_customer_has_a_shard_a_zone_a_language_and_a_fixed_place_in_the_hold_out(ledger: Ledger) -> None:
    half = IdentitySettings(zone="Asia/Shanghai", hold_out=0.5)
    tell(ledger, *(message(n, "track", f"c{n}") for n in range(200)), settings=half)
    where: dict[str, object] = {"timezone": "Europe/Berlin", "locale": "de-DE"}
    tell(ledger, message(300, "page", "c1", context=where), settings=half)
    rows = {row["customer_id"]: row for row in dump(ledger, "customer")["customer"]}
    assert rows["c1"]["zone"], rows["c1"]["language"] == ("Europe/Berlin", "de")
    assert rows["c2"]["zone"] == "Asia/Shanghai"
    assert rows["c2"]["shard"] == shard_of("c2")
    assert rows["c2"]["created_at"] == 2_000_000
    assert 70 < sum(row["held_out"] for row in rows.values()) < 130


def test_traits_become_typed_values_and_a_null_takes_one_back(ledger: Ledger) -> None:
    tell(ledger, message(1, "identify", "ann", traits={"plan": "gold", "age": 30, "home": {"city": "上海"}}))
    tell(ledger, message(2, "identify", "ann", traits={"plan": None, "age": 30}))
    rows = {row["name"]: row for row in dump(ledger, "profile")["profile"]}
    assert (rows["plan"]["text"], rows["plan"]["number"]) == (None, None)
    assert (rows["age"]["number"], rows["age"]["since"], rows["age"]["stated_at"]) == (30.0, 1_000_000, 2_000_000)
    assert rows["home.city"]["text"] == "上海"


def test_a_customer_gets_no_more_attributes_than_the_limit_and_the_rest_is_counted(ledger: Ledger) -> None:
    small = IdentitySettings(most_traits=3)
    many: dict[str, object] = {f"t{n:04}": n for n in range(1_900)}
    (absorbed,) = tell(ledger, message(1, "identify", "ann", traits=many), settings=small)
    assert absorbed.left_out == {"too_many_attributes": 1_897}
    tell(ledger, message(2, "identify", "ann", traits={"t0001": 7, "new": 1}), settings=small)
    values = {row["name"]: row["number"] for row in dump(ledger, "profile")["profile"]}
    assert values == {"t0000": 0.0, "t0001": 7.0, "t0002": 2.0}


def test_a_change_that_a_journey_listens_for_is_recorded_once(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        connection.execute(insert(listening), [{"signal": "changed:plan", "version_id": 1, "node": "*"}])
    tell(ledger, message(1, "identify", "ann", traits={"plan": "gold", "age": 30}))
    tell(ledger, message(2, "identify", "ann", traits={"plan": "gold", "age": 31}))
    tell(ledger, message(3, "identify", "ann", at=1, traits={"plan": "a late and older word"}))
    rows = [(row["customer_id"], row["signal"], row["ref"]) for row in dump(ledger, "happening")["happening"]]
    assert rows == [("ann", "changed:plan", "message-1")]


def test_an_event_of_a_known_customer_writes_nothing_but_the_place_in_the_inbox(ledger: Ledger) -> None:
    context: dict[str, object] = {"timezone": "Asia/Shanghai", "locale": "zh-CN"}
    tell(ledger, message(1, "identify", "ann", "d1", context=context))
    tables = ("customer", "identifier", "link", "profile", "consent", "merge")
    before = dump(ledger, *tables)
    tell(ledger, *(message(n, "track", "ann", "d1", context=context) for n in range(2, 50)))
    assert dump(ledger, *tables) == before
    assert dump(ledger, "cursor")["cursor"] == [{"consumer": "identity", "position": 49}]


def test_a_crash_in_the_middle_leaves_the_place_and_the_ledger_as_they_were(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(ledger, [message(1, "identify", "ann", "d1", traits={"plan": "gold"})])

    def fail(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("aimwell.insight.identity.absorbing.record", fail)
        with pytest.raises(KeyboardInterrupt):
            absorb(ledger, SETTINGS, now=NOW)
    assert not any(dump(ledger, "cursor", "customer", "identifier", "profile").values())
    absorb_all(ledger)
    assert len(dump(ledger, "customer")["customer"]) == 1


def test_whoever_comes_second_to_the_same_messages_does_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(ledger, [message(1, "track", "ann"), message(2, "track", "bob")])
    with monkeypatch.context() as patch:
        patch.setattr("aimwell.insight.identity.absorbing.read_place", lambda _: 0)
        assert absorb(ledger, SETTINGS, now=NOW).messages == 2
        assert absorb(ledger, SETTINGS, now=NOW).messages == 0
    assert absorb(ledger, SETTINGS, now=NOW).messages == 0


def test_an_address_that_becomes_crowded_lets_its_people_go(ledger: Ledger) -> None:
    mail: dict[str, object] = {"email": "office@x.cn", "email_verified": True}
    tell(ledger, message(1, "identify", "ann", traits=mail), message(2, "identify", "bob", traits=mail))
    assert set(customers(ledger).values()) == {"ann"}
    (absorbed,) = tell(ledger, message(3, "identify", "cy", traits=mail))
    assert set(customers(ledger).values()) == {"ann", "bob", "cy"}
    assert absorbed.crowded == (Node("email", "office@x.cn"),)
    assert absorbed.partings == 1
    owners = [row["customer_id"] for row in dump(ledger, "identifier")["identifier"] if row["kind"] == "email"]
    assert owners == ["ann", "bob", "cy"]


def test_identifiers_and_messages_are_looked_up_many_at_once(ledger: Ledger) -> None:
    mail: dict[str, object] = {"email": "a@x.cn"}
    messages = [
        message(1, "page", device="d1"),
        message(2, "identify", "ann", "d1", traits=mail),
        message(3, "identify", "bob", traits=mail),
        message(4, "identify", "cy", traits={"email": "c@x.cn"}),
    ]
    tell(ledger, *messages)
    with ledger.writing() as connection:
        assert resolve_messages(connection, [*messages, message(9, "track", "nobody")]) == [
            "ann", "ann", "bob", "cy", None,
        ]  # fmt: skip
        asked = [Node(ANONYMOUS, "d1"), Node("email", "a@x.cn"), Node("email", "c@x.cn"), Node(USER, "x")]
        assert resolve(connection, asked) == {asked[0]: "ann", asked[2]: "cy"}
        assert resolve(connection, []) == {}
