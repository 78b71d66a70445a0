"""Random worlds over random weeks: the independent checker finds no send that broke a rule, and the balances hold."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.delivery.outbox.checker import Sending, _over_cap, first_shown, read_sendings, violations
from tests.delivery.outbox.world import World, words
from tests.ledgers import empty_ledger

from aimwell.delivery.channel import Parcel, Receipt
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.delivery.outbox.claim import claim
from aimwell.delivery.outbox.policy import Cap, Policy, QuietHours
from aimwell.delivery.outbox.recovery import recover
from aimwell.delivery.outbox.sending import send
from aimwell.store.ledger.consents import set_consent

ZONES = (
    "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland", "America/New_York",
    "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "Europe/London", "Europe/Paris", "Africa/Cairo",
    "Asia/Tokyo", "Asia/Dubai", "Australia/Sydney", "Pacific/Honolulu", "America/Chicago", "Europe/Moscow",
    "Africa/Lagos", "Not/AZone",
)  # fmt: skip
SPRING, AUTUMN = datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)

times = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
quiet = (
    st.tuples(times, times)
    .filter(lambda pair: pair[0] != pair[1])
    .flatmap(
        lambda pair: st.builds(
            QuietHours,
            since=st.just(pair[0]),
            until=st.just(pair[1]),
            weekdays=st.none() | st.frozensets(st.integers(0, 6), min_size=1),
            action=st.sampled_from(["postpone", "drop"]),
            purpose=st.sampled_from(["marketing", "*"]),
        )
    )
)
caps = st.builds(
    Cap,
    channels=st.sampled_from(["*", ("email",), ("sms", "email")]),
    at_most=st.integers(1, 3),
    within=st.integers(2, 72).map(lambda hours: timedelta(hours=hours)),
    purpose=st.sampled_from(["marketing", "*"]),
    action=st.sampled_from(["drop", "postpone"]),
)


def run(world: World, dice: random.Random, hours: int) -> None:
    """Messages are planned, words taken back and given, and a provider answers as it likes, over some days."""
    people = [f"p{number}" for number in range(6)]
    for person in people:
        world.person(person, zone=dice.choice(ZONES), granted=dice.choice([True, True, None]))
    for provider in world.providers.values():
        provider.answer = lambda parcel: _whim(parcel, dice)
    for turn in range(hours):
        for person in people:
            for number in range(dice.choice([0, 0, 0, 1, 2])):
                channel, purpose = dice.choice(["email", "sms"]), dice.choice(["marketing", "marketing", "service"])
                until = world.now + timedelta(hours=30) if dice.random() < 0.3 else None
                priority = dice.randrange(3)
                world.plan(
                    person, f"n{turn}-{number}", channel=channel, purpose=purpose, expires_at=until, priority=priority
                )
        claim(world.desk, world.now, chunk=dice.choice([3, 1000, 1000]))
        world.now += timedelta(minutes=dice.choice([0, 0, 1, 50]))
        if dice.random() < 0.4:
            person, channel, granted = dice.choice(people), dice.choice(["*", "email", "sms"]), dice.random() < 0.5
            with world.ledger.writing() as connection:
                set_consent(connection, person, channel, "marketing", granted=granted, at=world.now, source=str(turn))
            world.now += timedelta(seconds=1)
        if dice.random() < 0.9:
            send(world.desk, words, world.clock)
        world.now += timedelta(minutes=dice.choice([7, 30, 61]))
        recover(world.desk, world.now)


def _whim(parcel: Parcel, dice: random.Random) -> Receipt:
    result = dice.choices(["accepted", "failed", "unknown", "refused"], [80, 10, 7, 3])[0]
    return Receipt(parcel.key, result)  # type: ignore[arg-type]


@pytest.mark.slow
@given(
    rules=st.lists(quiet, min_size=1, max_size=2),
    limits=st.lists(caps, min_size=1, max_size=2),
    seed=st.integers(0, 2**32),
    start=st.sampled_from([SPRING, AUTUMN]),
    idempotent=st.booleans(),
)
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_no_send_breaks_a_rule_in_any_world(
    rules: list[QuietHours], limits: list[Cap], seed: int, start: datetime, idempotent: bool
) -> None:
    policy = Policy(quiet_hours=tuple(rules), caps=tuple(limits), lease=timedelta(hours=3))
    with empty_ledger() as ledger:
        world = World(ledger, policy, start, idempotent=idempotent)
        world.journey()
        run(world, random.Random(seed), hours=20)
        with ledger.reading() as connection:
            assert violations(connection, policy, "Asia/Shanghai") == []
            verify_balances(connection)


def test_the_checker_itself_sees_what_breaks_a_rule(world: World) -> None:
    world.person("ann", granted=None)
    world.person("bob")
    world.plan("bob", "a")
    world.plan("bob", "b")
    world.now = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
    claim(world.desk, world.now)
    send(world.desk, words, world.clock)
    with world.ledger.reading() as connection:
        assert len(read_sendings(connection)) == 2
        strict = Policy(caps=(Cap(at_most=1, within=timedelta(days=1)),))
        rules = sorted(found.rule for found in violations(connection, strict, "UTC"))
        assert rules == ["cap", "quiet hours", "quiet hours"]
        assert violations(connection, Policy(quiet_hours=()), "UTC") == []
    at = [Sending(str(number), "p", "email", "marketing", SPRING + timedelta(hours=number)) for number in range(3)]
    limit = Policy(caps=(Cap(at_most=1, within=timedelta(hours=1)),))
    assert _over_cap(at, limit) == []


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00"),
        ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T00:30"),
    ],
)
def test_the_checkers_clock_skips_and_repeats_as_walls_do(zone: str, wall: str, utc: str) -> None:
    shown = datetime.fromisoformat(wall)
    assert first_shown(zone, shown.date(), shown.time()) == datetime.fromisoformat(utc).replace(tzinfo=UTC)
