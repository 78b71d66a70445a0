"""One message is read into typed fields, or is rejected for one of a closed set of reasons; nothing raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.store.intake.calls import RECEIVED, stamp, track

from aimwell.core.errors import BadQuestion
from aimwell.store.intake.content import MAX_DEPTH, MAX_KEYS, MAX_MESSAGE_BYTES, write_json
from aimwell.store.intake.messages import KINDS, MAX_ID, MAX_MESSAGE_ID, MAX_NAME, Message, parse_message
from aimwell.store.intake.rejections import REASONS, Reason, Rejected

TEXT = st.text(st.characters(exclude_categories=()), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *("type", "event", "name", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp"),
    *("originalTimestamp", "sentAt", "properties", "traits", "context", "integrations", "category"),
]


def read(content: object, **arguments: Any) -> Message:
    result = parse_message(content, received_at=RECEIVED, **arguments)
    assert isinstance(result, Message), result
    return result


def reason(content: object, **arguments: Any) -> Reason:
    result = parse_message(content, received_at=RECEIVED, **arguments)
    assert isinstance(result, Rejected), result
    return result.reason


def nest(levels: int) -> Any:
    """A value of so many lists inside each other."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_track_call_is_read_field_by_field() -> None:
    content = track(
        anonymousId="a1",
        timestamp="2026-03-01T15:00:00+08:00",
        properties={"total": 1.5, "名": "鞋"},
        context={"ip": "1.2.3.4"},
        integrations={"All": False},
    )
    assert read(content) == Message(
        message_id="m1",
        kind="track",
        name="Paid",
        user_id="u1",
        anonymous_id="a1",
        previous_id=None,
        group_id=None,
        occurred_at=datetime(2026, 3, 1, 7, tzinfo=UTC),
        stated_at=datetime(2026, 3, 1, 7, tzinfo=UTC),
        received_at=RECEIVED,
        properties='{"total":1.5,"名":"鞋"}',
        traits="{}",
        context='{"ip":"1.2.3.4"}',
        integrations='{"All":false}',
    )


def test_the_path_names_the_type_in_full_or_by_its_letter_and_goes_before_the_content() -> None:
    content = track(type="page", name="Home")
    assert [read(content, kind=kind).kind for kind in ("track", "t", "page", "p", "s")] == [
        *("track", "track", "page", "page", "screen")
    ]
    assert read(content).kind == "page"


def test_each_kind_is_accepted_with_the_ids_that_it_needs() -> None:
    needed = {"userId": "u", "previousId": "p", "groupId": "g", "event": "E"}
    assert [read({"type": kind, **needed}).kind for kind in KINDS] == list(KINDS)


def test_a_number_as_id_is_its_digits_and_blank_text_is_no_id() -> None:
    assert read(track(userId=4711)).user_id == "4711"
    assert read(track(userId=" ", anonymousId="a")).user_id is None


def test_the_category_of_a_page_is_kept_among_its_properties() -> None:
    assert read(track(type="page", category="Docs")).properties == '{"category":"Docs"}'
    own = track(type="screen", category="Docs", properties={"category": "Help"})
    assert read(own).properties == '{"category":"Help"}'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([], "not_an_object"),
        (None, "not_an_object"),
        (track(type=None), "unknown_type"),
        (track(type="Track"), "unknown_type"),
        (track(type={"a": 1}), "unknown_type"),
        (track(userId=None), "no_id"),
        (track(userId="", anonymousId=" "), "no_id"),
        (track(type="group"), "no_id"),
        (track(type="alias"), "no_id"),
        (track(type="alias", userId=None, anonymousId="a", previousId="p"), "no_id"),
        (track(event=None), "no_event_name"),
        (track(event=" "), "no_event_name"),
        (track(timestamp="yesterday"), "bad_timestamp"),
        (track(timestamp=1772352000), "bad_timestamp"),
        (track(timestamp="2026-02-30T00:00:00Z"), "bad_timestamp"),
        (track(timestamp="+010000-01-01T00:00:00.000Z"), "bad_timestamp"),
        (track(timestamp="0001-01-01T00:00:00+10:00"), "bad_timestamp"),
        (track(originalTimestamp=""), "bad_timestamp"),
        (track(properties={"a": "x\x00"}), "bad_text"),
        (track(properties={"a\x00": 1}), "bad_text"),
        (track(event="\ud800"), "bad_text"),
        (track(properties={"a": [float("nan")]}), "bad_number"),
        (track(properties={"a": float("-inf")}), "bad_number"),
        (track(properties={"a": 2**64}), "bad_number"),
        (track(properties=[1]), "bad_field"),
        (track(context="web"), "bad_field"),
        (track(traits=0), "bad_field"),
        (track(integrations=[]), "bad_field"),
        (track(properties=""), "bad_field"),
        (track(userId={"id": 1}), "bad_field"),
        (track(userId=True), "bad_field"),
        (track(event=5), "bad_field"),
        (track(properties={"a": {1, 2}}), "bad_field"),
        (track(properties={1: 2}), "bad_field"),
        (track(timestamp="2026-03-01T08:05:00.001Z"), "from_future"),
        (track(timestamp="1999-12-31T23:59:59.999Z"), "before_floor"),
        (track(timestamp="0001-01-01T00:00:00Z", sentAt="2026-04-01T00:00:00Z"), "before_floor"),
        (track(properties={"a": nest(10_000)}), "too_deep"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(content: object, expected: Reason) -> None:
    assert reason(content) == expected


def test_every_reason_is_said_in_both_languages() -> None:
    assert set(REASONS) == set(get_args(Reason))
    assert all(text.zh and text.en for text in REASONS.values())


def test_what_was_rejected_is_kept_without_the_write_key() -> None:
    result = parse_message({"type": "\x00", "writeKey": "secret"}, received_at=RECEIVED)
    assert isinstance(result, Rejected)
    assert json.loads(result.content) == {"type": "\x00"}


def test_the_size_is_limited_exactly_and_counts_bytes() -> None:
    room = MAX_MESSAGE_BYTES - len(write_json(track(properties={"a": ""})))
    assert len(read(track(properties={"a": "x" * room})).properties) == room + len('{"a":""}')
    assert reason(track(properties={"a": "x" * (room + 1)})) == "too_large"
    assert reason(track(properties={"a": "鞋" * (room // 3 + 1)})) == "too_large"


def test_depth_and_keys_are_limited_exactly() -> None:
    read(track(properties={"a": nest(MAX_DEPTH - 2)}))
    assert reason(track(properties={"a": nest(MAX_DEPTH - 1)})) == "too_deep"
    room = MAX_KEYS - len(track(properties={}))
    read(track(properties=dict.fromkeys(map(str, range(room)), 0)))
    assert reason(track(properties=dict.fromkeys(map(str, range(room + 1)), 0))) == "too_many_keys"
    halves = [dict.fromkeys(map(str, range(n)), 0) for n in (room // 2, room - room // 2 + 1)]
    assert reason(track(properties={"a": halves})) == "too_many_keys"


@pytest.mark.parametrize(("field", "longest"), [("messageId", MAX_MESSAGE_ID), ("userId", MAX_ID), ("event", MAX_NAME)])
def test_ids_and_names_are_limited_exactly(field: str, longest: int) -> None:
    read(track(**{field: "x" * longest}))
    assert reason(track(**{field: "x" * (longest + 1)})) == "bad_field"


def test_numbers_are_limited_to_64_bits_exactly() -> None:
    assert json.loads(read(track(properties={"a": [2**64 - 1, -(2**63)]})).properties)["a"] == [2**64 - 1, -(2**63)]
    assert reason(track(properties={"a": -(2**63) - 1})) == "bad_number"


def test_without_an_id_a_repeated_request_gets_the_same_and_another_content_another() -> None:
    bare = track(messageId=None, timestamp="2026-03-01T07:00:00Z")
    first = read({**bare, "sentAt": "2026-03-01T07:00:01Z"})
    again = parse_message({**bare, "sentAt": "2026-03-01T09:00:00Z"}, received_at=RECEIVED + timedelta(hours=2))
    assert isinstance(again, Message)
    assert first.message_id == again.message_id
    assert read({**bare, "writeKey": "another"}).message_id == first.message_id
    assert read(dict(reversed(bare.items()))).message_id == first.message_id
    assert read({**bare, "properties": {"a": 1}}).message_id != first.message_id
    assert read(bare, kind="page").message_id != first.message_id


def test_without_an_id_and_a_time_the_minute_of_arrival_tells_messages_apart() -> None:
    found = [
        parse_message(track(messageId=None), received_at=RECEIVED + timedelta(seconds=seconds))
        for seconds in (0, 59, 60)
    ]
    ids = [result.message_id for result in found if isinstance(result, Message)]
    assert ids[0] == ids[1] != ids[2]


def test_a_received_instant_without_a_timezone_is_the_callers_mistake() -> None:
    with pytest.raises(BadQuestion, match="no timezone"):
        parse_message(track(), received_at=RECEIVED.replace(tzinfo=None))


@settings(max_examples=150)
@given(VALUES | st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUES, max_size=8), st.none() | TEXT)
def test_no_content_raises(content: object, kind: str | None) -> None:
    parse_message(content, received_at=RECEIVED, kind=kind)


@settings(max_examples=200)
@given(
    st.sampled_from(KINDS),
    st.dictionaries(
        st.sampled_from([name for name in FIELDS if name != "type"]), VALUES | st.just(stamp(RECEIVED)), max_size=6
    ),
)
def test_what_is_accepted_can_be_stored_and_reads_the_same_again(kind: str, fields: dict[str, object]) -> None:
    content = {"userId": "u", "previousId": "p", "groupId": "g", "event": "E", **fields, "type": kind}
    result = parse_message(content, received_at=RECEIVED)
    if isinstance(result, Rejected):
        result.content.encode("ascii")
        assert result.reason in REASONS
        return
    for text in (result.properties, result.traits, result.context, result.integrations, result.message_id):
        assert "\x00" not in text
        text.encode("utf-8")
    assert isinstance(json.loads(result.properties), dict)
    assert result.occurred_at <= result.received_at
    assert result.message_id
    assert parse_message(json.loads(json.dumps(content)), received_at=RECEIVED) == replace(result)
