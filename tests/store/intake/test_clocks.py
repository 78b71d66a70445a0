"""Events are dated rightly although the clock of the sender is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.intake.calls import RECEIVED

from aimwell.store.intake.clocks import FUTURE_TOLERANCE, MAX_SKEW, date_event, read_instant
from aimwell.store.intake.rejections import Unfit

SPAN = MAX_SKEW // timedelta(seconds=1)


def occurred(sent: datetime | None = None, **content: datetime) -> datetime:
    stated = {field: instant.isoformat() for field, instant in content.items()}
    return date_event(stated, sent.isoformat() if sent else None, RECEIVED)[0]


@settings(max_examples=200)
@given(st.integers(-SPAN, SPAN), st.integers(0, 20 * 365 * 86_400), st.sampled_from(["timestamp", "originalTimestamp"]))
def test_the_true_time_is_recovered_whatever_the_offset_of_the_clock(offset: int, waited: int, field: str) -> None:
    off, true = timedelta(seconds=offset), RECEIVED - timedelta(seconds=waited)
    assert occurred(RECEIVED + off, **{field: true + off}) == true


def test_the_time_on_the_network_counts_as_waiting() -> None:
    true = RECEIVED - timedelta(minutes=9)
    assert occurred(RECEIVED - timedelta(seconds=2), timestamp=true) == true + timedelta(seconds=2)


def test_without_sent_at_the_stated_time_counts_and_without_any_the_time_of_arrival() -> None:
    stated = RECEIVED - timedelta(days=3)
    assert occurred(timestamp=stated) == stated
    assert date_event({"timestamp": stated.isoformat()}, "soon", RECEIVED) == (stated, stated)
    assert date_event({}, RECEIVED.isoformat(), RECEIVED) == (RECEIVED, None)
    assert date_event({"timestamp": None}, None, RECEIVED) == (RECEIVED, None)


def test_a_time_that_a_server_has_corrected_before_is_kept() -> None:
    original, corrected = RECEIVED - timedelta(days=400), RECEIVED - timedelta(hours=5)
    sent = original + timedelta(minutes=1)
    assert occurred(sent, originalTimestamp=original, timestamp=corrected) == corrected
    both = {"originalTimestamp": original.isoformat(), "timestamp": corrected.isoformat()}
    assert date_event(both, sent.isoformat(), RECEIVED) == (corrected, original)
    same = occurred(sent, originalTimestamp=original, timestamp=original)
    assert same == RECEIVED - timedelta(minutes=1)


def test_a_message_sent_before_it_happened_is_not_corrected() -> None:
    happened = RECEIVED - timedelta(days=1)
    early = happened - FUTURE_TOLERANCE
    assert occurred(early, timestamp=happened) == RECEIVED  # five minutes after its arrival: dated as received
    assert occurred(early - timedelta(microseconds=1), timestamp=happened) == happened


def test_the_correction_is_bounded_exactly() -> None:
    happened = datetime(2001, 1, 1, tzinfo=UTC)
    sent = RECEIVED + MAX_SKEW
    assert occurred(sent, timestamp=sent - timedelta(days=1)) == RECEIVED - timedelta(days=1)
    assert occurred(sent + timedelta(microseconds=1), timestamp=happened) == happened


def test_the_near_future_is_dated_as_received_and_the_far_one_refused() -> None:
    assert occurred(timestamp=RECEIVED + FUTURE_TOLERANCE) == RECEIVED
    with pytest.raises(Unfit, match="future"):
        occurred(timestamp=RECEIVED + FUTURE_TOLERANCE + timedelta(microseconds=1))


def test_the_earliest_year_is_accepted_from_its_first_instant() -> None:
    floor = datetime(2000, 1, 1, tzinfo=UTC)
    assert occurred(timestamp=floor) == floor
    with pytest.raises(Unfit, match="earliest year"):
        occurred(timestamp=floor - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T08:00:00Z", RECEIVED),
        ("2026-03-01T08:00:00.000Z", RECEIVED),
        ("2026-03-01T08:00:00.000000000Z", RECEIVED),
        ("2026-03-01T16:00:00+08:00", RECEIVED),
        ("2026-03-01 08:00:00", RECEIVED),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("1772352000", None),
        ("", None),
        (1772352000, None),
        (None, None),
    ],
)
def test_instants_are_read_as_the_libraries_write_them(text: object, expected: datetime | None) -> None:
    assert read_instant(text) == expected
