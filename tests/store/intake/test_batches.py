"""A body is judged message by message, in order; only what cannot be read at all is refused as a whole."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.store.intake.calls import RECEIVED, body, browser_page, node_batch, python_batch, stamp, track

from aimwell.core.errors import BadQuestion
from aimwell.store.intake import batches
from aimwell.store.intake.batches import (
    MAX_BATCH_MESSAGES,
    MAX_BODY_BYTES,
    MAX_SHARED_BYTES,
    Batch,
    BodyError,
    Duplicate,
    parse_batch,
    parse_call,
)
from aimwell.store.intake.messages import Message
from aimwell.store.intake.rejections import Rejected

ITEMS = st.sampled_from(
    [
        *(track(messageId=name, timestamp="2026-03-01T07:00:00Z") for name in ("a", "b", "c")),
        *({"type": "track"}, 7, track(messageId="a", type="page"), track(messageId=None)),
    ]
)


def read(text: bytes) -> Batch:
    result = parse_batch(text, received_at=RECEIVED)
    assert isinstance(result, Batch), result
    return result


def fault(text: bytes) -> tuple[int, str]:
    result = parse_batch(text, received_at=RECEIVED)
    assert isinstance(result, BodyError), result
    return result.status, result.fault


def test_the_library_for_node_is_understood() -> None:
    batch = read(node_batch(RECEIVED + timedelta(hours=3)))  # its clock is three hours ahead
    assert batch.write_key == "aWriteKey"
    assert [message.kind for message in batch.messages] == ["identify", "track", "group", "alias"]
    assert {message.occurred_at for message in batch.messages} == {RECEIVED - timedelta(seconds=10)}
    identify, order, group, alias = batch.messages
    assert json.loads(identify.traits)["name"] == "李雷"
    assert order.name == "Order Completed"
    assert json.loads(order.properties)["products"] == [{"sku": "45790-32", "price": 19, "quantity": 1}]
    assert json.loads(order.integrations) == {"All": True, "Mixpanel": False}
    assert (group.group_id, alias.previous_id) == ("acme", "old_id")
    assert order.message_id == "node-next-1772352000001-8a6e0a34-52a1-4bd5-a7bd-2d7e5a0f77aa"


def test_the_library_for_browsers_is_understood() -> None:
    result = parse_call(browser_page(RECEIVED - timedelta(days=9)), "p", received_at=RECEIVED)
    assert isinstance(result, Batch)
    assert result.write_key == "aWriteKey"
    [page] = result.messages
    assert (page.kind, page.name, page.user_id) == ("page", "Shoes", None)
    assert page.anonymous_id == "6d0f30b2-5d0c-4a3a-8a3a-59d1b8f1f2f4"
    assert page.occurred_at == RECEIVED - timedelta(milliseconds=300)
    assert json.loads(page.context)["page"]["title"] == "鞋"
    assert "aWriteKey" not in repr(page)


def test_the_library_for_python_is_understood() -> None:
    batch = read(python_batch(RECEIVED.replace(microsecond=0)))
    assert [message.kind for message in batch.messages] == ["identify", "track", "screen"]
    assert {message.occurred_at for message in batch.messages} == {RECEIVED - timedelta(minutes=2)}
    identify, paid, screen = batch.messages
    assert identify.traits == '{"城市":"上海"}'
    assert (paid.name, paid.user_id) == ("付款", "4711")
    assert (screen.name, screen.properties) == ("Home", '{"category":"Main"}')


def test_a_bad_message_does_no_harm_to_the_good_ones_beside_it() -> None:
    bad: list[object] = [None, {"type": "track"}, track(properties={"a": float("nan")})]
    batch = read(body(track(messageId="1"), *bad, track(messageId="2")))
    assert [type(result) for result in batch.results] == [Message, Rejected, Rejected, Rejected, Message]
    assert [rejected.reason for rejected in batch.rejected] == ["not_an_object", "no_id", "bad_number"]


def test_what_the_batch_shares_holds_for_each_message_whose_own_keys_win() -> None:
    text = body(
        track(messageId="1", context={"ip": "2.2.2.2"}, integrations={"A": True}),
        track(messageId="2"),
        context={"ip": "1.1.1.1", "app": {"name": "Shop"}},
        integrations={"A": False, "B": False},
    )
    own, shared = read(text).messages
    assert json.loads(own.context) == {"ip": "2.2.2.2", "app": {"name": "Shop"}}
    assert json.loads(own.integrations) == {"A": True, "B": False}
    assert json.loads(shared.context) == {"ip": "1.1.1.1", "app": {"name": "Shop"}}


def test_the_time_of_sending_of_the_body_goes_before_an_older_one_of_the_message() -> None:
    happened, tried = RECEIVED - timedelta(hours=2), RECEIVED - timedelta(hours=1)
    call = track(timestamp=stamp(happened), sentAt=stamp(tried))
    assert read(body(call, sentAt=stamp(RECEIVED))).messages[0].occurred_at == happened
    for unreadable in (None, "now", 5):
        assert read(body(call, sentAt=unreadable)).messages[0].occurred_at == happened + timedelta(hours=1)


def test_shared_context_that_no_store_could_keep_rejects_each_message() -> None:
    for context in ("web", {"a": "\x00"}):
        batch = read(body(track(messageId="1"), track(messageId="2"), context=context))
        assert len(batch.rejected) == 2


def test_of_messages_with_one_id_the_first_accepted_counts() -> None:
    batch = read(body({"type": "track", "messageId": "1"}, *[track(messageId="1")] * 3, track(messageId="2")))
    assert [type(result) for result in batch.results] == [Rejected, Message, Duplicate, Duplicate, Message]
    assert batch.duplicates == (Duplicate("1", 1), Duplicate("1", 1))


def test_a_mark_of_byte_order_before_the_body_does_no_harm() -> None:
    assert len(read(b"\xef\xbb\xbf" + body(track())).messages) == 1


def test_an_empty_batch_has_no_results() -> None:
    assert read(body()).results == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", (400, "not_json")),
        (b"{", (400, "not_json")),
        (b'{"batch": "\xff"}', (400, "not_json")),
        (b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}", (400, "not_json")),
        (b'{"batch":[' + b"1" * 5_000 + b"]}", (400, "not_json")),
        (b"[]", (400, "not_an_object")),
        (b"{}", (400, "no_batch")),
        (b'{"batch": {}}', (400, "no_batch")),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(text: bytes, expected: tuple[int, str]) -> None:
    assert fault(text) == expected


def test_the_size_of_a_body_is_limited_exactly() -> None:
    text = body(track())
    assert len(read(text + b" " * (MAX_BODY_BYTES - len(text))).messages) == 1
    assert fault(text + b" " * (MAX_BODY_BYTES - len(text) + 1)) == (413, "too_large")


def test_the_number_of_messages_is_limited_exactly() -> None:
    assert len(read(body(*[0] * MAX_BATCH_MESSAGES)).results) == MAX_BATCH_MESSAGES
    assert fault(body(*[0] * (MAX_BATCH_MESSAGES + 1))) == (413, "too_many_messages")


def test_the_size_of_what_is_shared_is_limited_exactly() -> None:
    room = MAX_SHARED_BYTES - len('[{"a":""},null]')
    assert len(read(body(track(), context={"a": "x" * room})).messages) == 1
    assert fault(body(track(), context={"a": "x" * (room + 1)})) == (413, "shared_too_large")


def test_a_single_call_is_judged_like_one_of_a_batch() -> None:
    result = parse_call(json.dumps(track()).encode(), "track", received_at=RECEIVED)
    assert result == read(body(track()))
    refused = parse_call(b"[]", "track", received_at=RECEIVED)
    assert isinstance(refused, BodyError)
    unknown = parse_call(json.dumps(track()).encode(), "delete", received_at=RECEIVED)
    assert isinstance(unknown, Batch)
    assert [rejected.reason for rejected in unknown.rejected] == ["unknown_type"]


def test_a_received_instant_without_a_timezone_is_the_callers_mistake() -> None:
    with pytest.raises(BadQuestion, match="no timezone"):
        parse_batch(body(), received_at=RECEIVED.replace(tzinfo=None))


@settings(max_examples=100)
@given(st.lists(ITEMS, max_size=8))
def test_results_keep_the_order_and_a_repeated_body_gives_the_same(items: list[object]) -> None:
    batch = read(body(*items, sentAt=stamp(RECEIVED)))
    assert len(batch.results) == len(items)
    assert read(body(*items, sentAt=stamp(RECEIVED))) == batch
    ids = [message.message_id for message in batch.messages]
    assert len(ids) == len(set(ids))
    for item, result in zip(items, batch.results, strict=True):
        if isinstance(result, Duplicate):
            assert ids.index(result.message_id) == len([r for r in batch.results[: result.of] if type(r) is Message])
        assert isinstance(result, Rejected) == (item == 7 or item == {"type": "track"})


@settings(max_examples=100)
@given(st.binary(max_size=40) | st.recursive(st.none() | st.text(max_size=3), st.lists).map(body))
def test_no_body_raises(text: bytes) -> None:
    parse_batch(text, received_at=RECEIVED)
    parse_call(text, "t", received_at=RECEIVED)


TEXTS = st.text(st.characters(exclude_categories=()), max_size=5) | st.sampled_from(
    ["\x00", "1" * 19, "\\u0000", "<b>"]
)
NUMBERS = st.integers() | st.integers(min_value=2**62, max_value=2**65) | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=30,
)
BATCHES = st.lists(
    st.builds(
        lambda properties, context, depth: track(
            messageId=None, timestamp="2026-03-01T07:00:00Z", properties=properties, context=context, deep=nest(depth)
        ),
        st.dictionaries(TEXTS, VALUES, max_size=4) | VALUES,
        st.none() | st.dictionaries(TEXTS, VALUES, max_size=2),
        st.integers(0, 25),
    ),
    max_size=4,
)


def nest(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def said(result: object) -> object:
    """A result with its JSON texts read, so that two spellings of one number are equal."""
    if not isinstance(result, Message):
        return result
    texts = (result.properties, result.traits, result.context, result.integrations)
    return [replace(result, properties="", traits="", context="", integrations=""), *map(repr, map(json.loads, texts))]


@settings(max_examples=150)
@given(messages=BATCHES, spelled=st.booleans())
def test_the_quick_reading_of_plain_bodies_changes_no_verdict_and_no_value(
    messages: list[object], *, spelled: bool
) -> None:
    whole = json.dumps({"batch": messages}, ensure_ascii=spelled).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        quick = parse_batch(whole, received_at=RECEIVED)
        patch.setattr(batches, "read_json", lambda body: (json.loads(body.decode("utf-8-sig")), False))
        slow = parse_batch(whole, received_at=RECEIVED)
    if isinstance(quick, BodyError) or isinstance(slow, BodyError):
        assert (quick, slow) == (slow, quick)
    else:
        assert [said(result) for result in quick.results] == [said(result) for result in slow.results]


@pytest.mark.parametrize("size", [16_300, 16_500, 32_600, 32_700, 32_767, 32_768, 32_769, 33_000])
def test_the_quick_reading_measures_large_messages_to_the_byte(size: int) -> None:
    message = track(properties={"a": "", "n": 1e16})
    room = size - len(json.dumps(message, separators=(",", ":")))
    message["properties"]["a"] = "x" * room
    (result,) = read(body(message)).results
    assert isinstance(result, Message) == (size <= 32 * 1024)


def test_the_quick_reading_counts_keys_and_levels_like_the_slow_one() -> None:
    for keys in (1_990, 1_994, 1_995, 1_996, 2_000):
        content = track(properties={f"k{number}": ":{[" for number in range(keys)})
        (result,) = read(body(content)).results
        assert isinstance(result, Message) == (keys + len(content) <= 2_000)
    for levels, fits in ((19, True), (20, False)):
        (result,) = read(body(track(properties=nest(levels)))).results
        assert isinstance(result, Message) == fits
