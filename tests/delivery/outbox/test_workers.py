from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select
from tests.delivery.outbox.world import NOON, World, words

from aimwell.core.keys import SHARDS
from aimwell.delivery.outbox.balances import Unbalanced, verify_balances
from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.policy import Cap, Policy
from aimwell.delivery.outbox.sending import send
from aimwell.delivery.outbox.shards import held_shards, let_go, take_shards
from aimwell.store.ledger.ledger import open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.outbox import intent

LEASE = timedelta(minutes=10)


@pytest.fixture
def server(postgres_url: str) -> Iterator[World]:
    world = World(open_ledger(postgres_url))
    world.journey()
    yield world
    world.ledger.close()


def shards_of(world: World, worker: str) -> set[int]:
    with world.ledger.writing() as connection:
        return set(held_shards(connection, worker, world.now))


@pytest.mark.postgres
def test_workers_share_the_shards_and_take_over_from_those_who_are_gone(server: World) -> None:
    take_shards(server.ledger, "a", server.now, LEASE)
    assert len(shards_of(server, "a")) == SHARDS
    take_shards(server.ledger, "b", server.now, LEASE)
    take_shards(server.ledger, "a", server.now, LEASE)
    take_shards(server.ledger, "b", server.now, LEASE)
    a, b = shards_of(server, "a"), shards_of(server, "b")
    assert len(a) == len(b) == SHARDS // 2
    assert not a & b
    server.later(minutes=11)  # a is gone
    take_shards(server.ledger, "b", server.now, LEASE)
    assert len(shards_of(server, "b")) == SHARDS
    let_go(server.ledger, "b", server.now)
    assert not shards_of(server, "b")


@pytest.mark.postgres
def test_two_workers_at_once_break_no_cap_and_send_nothing_twice(server: World) -> None:
    server.policy = Policy(quiet_hours=(), caps=(Cap(at_most=1, within=timedelta(days=1)),))
    for number in range(40):
        server.person(f"p{number}")
        for node in "abc":
            server.plan(f"p{number}", node)
    desks = [replace(server.desk, worker=worker) for worker in ("a", "b")]
    for desk in (*desks, *desks):
        take_shards(desk.ledger, desk.worker, NOON, LEASE)

    def work(number: int) -> None:
        for _ in range(3):
            claim(desks[number], NOON, chunk=7)
            send(desks[number], words, server.clock)

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = Counter(server.providers["email"].got)
    assert len(got) == 40
    assert set(got.values()) == {1}
    with server.ledger.reading() as connection:
        sent = connection.execute(
            select(intent.c.customer_id, func.count())
            .where(intent.c.state == "accepted")
            .group_by(intent.c.customer_id)
        )
        assert {count for _, count in sent} == {1}
        verify_balances(connection)


def test_the_balances_see_somebody_who_is_lost(world: World) -> None:
    world.person("ann")
    key = world.plan("ann")
    with world.ledger.writing() as connection:
        connection.execute(intent.update().values(state="accepted"))
    with world.ledger.reading() as connection, pytest.raises(Unbalanced, match="accepted without an attempt': 1"):
        verify_balances(connection)
    with world.ledger.writing() as connection:
        connection.execute(intent.delete().where(intent.c.key == key))
        odd = {"id": 1, "journey": "hello", "version_id": 1, "customer_id": "ann", "shard": 0, "cause": "", "number": 1}
        connection.execute(insert(enrolment), [{**odd, "entered_at": NOON, "at": NOON, "state": "lost"}])
    with world.ledger.reading() as connection, pytest.raises(Unbalanced, match="do not hold"):
        verify_balances(connection)
    with world.ledger.writing() as connection:
        connection.execute(enrolment.delete())
