from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.consents import ConsentStatement, release, set_consent, set_consents, suppress
from aimwell.store.ledger.ledger import Ledger, open_ledger
from aimwell.store.ledger.schema.people import consent, consent_log, suppression

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(ledger_place: Path | str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_place)
    yield opened
    opened.close()


def say(ledger: Ledger, *, granted: bool, hours: int = 0, channel: str = "sms", source: str = "page") -> bool:
    with ledger.writing() as connection:
        at = NOON + hours * HOUR
        return set_consent(connection, "ann", channel, "marketing", granted=granted, at=at, source=source)


def holding(ledger: Ledger) -> dict[str, bool]:
    with ledger.reading() as connection:
        rows = connection.execute(select(consent.c.channel, consent.c.granted))
        return {row.channel: row.granted for row in rows}


def logged(ledger: Ledger) -> list[Any]:
    with ledger.reading() as connection:
        return list(connection.scalars(select(consent_log.c.granted).order_by(consent_log.c.id)))


def test_a_newer_word_holds_and_an_older_one_is_only_logged(ledger: Ledger) -> None:
    assert say(ledger, granted=True)
    assert say(ledger, granted=False, hours=2)
    assert not say(ledger, granted=True, hours=1)
    assert holding(ledger) == {"sms": False}
    assert logged(ledger) == [True, False, True]


def test_of_two_words_at_one_instant_the_refusal_holds(ledger: Ledger) -> None:
    assert say(ledger, granted=False)
    assert not say(ledger, granted=True)
    assert holding(ledger) == {"sms": False}


def test_the_very_same_word_is_logged_once(ledger: Ledger) -> None:
    assert say(ledger, granted=True)
    assert not say(ledger, granted=True)
    assert logged(ledger) == [True]


def test_channels_have_words_of_their_own(ledger: Ledger) -> None:
    say(ledger, granted=True)
    say(ledger, granted=False, channel="*")
    assert holding(ledger) == {"sms": True, "*": False}


def test_many_words_at_once_end_alike_in_any_order(ledger: Ledger) -> None:
    words = [
        ConsentStatement("ann", "sms", "marketing", granted, micros(NOON) + at, source)
        for granted, at, source in ((True, 0, "a"), (False, 1, "b"), (True, 1, "c"), (False, 1, "d"))
    ]
    ends = []
    for order in permutations(words):
        with ledger.writing() as connection:
            connection.execute(delete(consent))
            set_consents(connection, order[:2])
            set_consents(connection, order[2:])
            ends.append(connection.execute(select(consent)).one())
    assert len(set(ends)) == 1
    assert (ends[0].granted, ends[0].source) == (False, "d")
    assert len(logged(ledger)) == 4


def test_nothing_said_writes_nothing(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        assert set_consents(connection, []) == 0


def test_an_address_is_suppressed_with_its_first_reason_until_it_is_released(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        assert suppress(connection, "email", "a@x.cn", reason="bounced", at=NOON, source="smtp")
        assert not suppress(connection, "email", "a@x.cn", reason="complained", at=NOON + HOUR, source="smtp")
        row = connection.execute(select(suppression)).one()
        assert (row.reason, row.since) == ("bounced", NOON)
        assert release(connection, "email", "a@x.cn")
        assert not release(connection, "email", "a@x.cn")
        assert connection.execute(select(suppression)).all() == []
