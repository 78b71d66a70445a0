from __future__ import annotations

import pytest
from tests.insight.identity.letters import message

from aimwell.insight.identity.addresses import normalise
from aimwell.insight.identity.evidence import IdentitySettings, gather
from aimwell.insight.identity.resolution import USER, Node
from aimwell.insight.identity.traits import Value, type_value

SETTINGS = IdentitySettings()
DAY = 86_400


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("email", "  Ann.Lee@Example.COM", "ann.lee@example.com"),
        ("email", "no address", None),
        ("email", "a@b@c", None),
        ("email", "x" * 260 + "@y.cn", None),
        ("email", True, None),
        ("phone", "+86 138 0013 8000", "+8613800138000"),
        ("phone", "0086-138-0013-8000", "+8613800138000"),
        ("phone", "１３８００１３８０００", "+8613800138000"),
        ("phone", 13800138000, "+8613800138000"),
        ("phone", "call me", None),
        ("wechat", " oAbC ", "oAbC"),
        ("wechat", "", None),
    ],
)
def test_addresses_written_in_different_ways_are_one_value(kind: str, written: object, kept: str | None) -> None:
    assert normalise(kind, written, "86") == kept


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (None, Value(None, None)),
        (False, Value("false", 0.0)),
        (3, Value(None, 3.0)),
        (2**60 + 1, Value("1152921504606846977", 2.0**60)),
        ("2024-02-30", Value("2024-02-30", None)),
        ("2024-02-29", Value("2024-02-29", 19782.0)),
        (["a", 1], Value('["a",1]', None)),
        ("x" * 1_001, None),
    ],
)
def test_traits_are_texts_numbers_or_both(content: object, value: Value | None) -> None:
    assert type_value(content) == value


def test_nested_traits_get_dotted_names_and_what_is_too_long_is_counted() -> None:
    evidence = gather([message(1, "identify", "ann", traits={"a": {"b": 1, "": 2}, "x" * 101: 3})], SETTINGS)
    assert {stated.name for stated in evidence.values.values()} == {"a.b"}
    assert evidence.left_out == {"name_or_text_too_long": 2}


def test_consent_is_read_from_traits_and_context_in_three_shapes() -> None:
    evidence = gather(
        [
            message(1, "identify", "ann", traits={"consent": {"email": True, "sms": {"service": True, "x": True}}}),
            message(2, "track", "ann", context={"consent": False}),
        ],
        SETTINGS,
    )
    said = [(each.channel, each.purpose, each.granted) for each in evidence.consents]
    assert said == [("email", "marketing", True), ("sms", "service", True), ("*", "marketing", False)]
    assert evidence.left_out == {"unreadable_consent": 1}
    assert not evidence.values


def test_timezone_and_language_come_from_traits_or_context_and_must_exist() -> None:
    where = {"timezone": "Asia/Shanghai", "locale": "zh-CN"}
    evidence = gather(
        [
            message(1, "track", "ann", at=DAY + 5, context=where),
            message(2, "page", "ann", at=DAY + 9, context=where),
            message(3, "identify", "bob", at=DAY + 5, traits={"timezone": "Moon/Sea"}, context={"locale": 7}),
        ],
        SETTINGS,
    )
    said = {
        (node.value, name, at // 1_000_000): stated.value.text for (node, name, at), stated in evidence.values.items()
    }
    assert said == {("ann", "timezone", DAY): "Asia/Shanghai", ("ann", "language", DAY): "zh"}
    assert evidence.left_out == {"unknown_timezone": 1}


def test_the_device_of_a_signed_in_event_is_no_customer_of_its_own() -> None:
    evidence = gather([message(1, "track", "ann", "d1")], SETTINGS)
    assert set(evidence.seen) == {Node(USER, "ann")}
    assert not evidence.pairs


def test_a_push_token_is_an_address_that_never_joins() -> None:
    context: dict[str, object] = {"device": {"token": "t1"}}
    evidence = gather([message(n, "identify", who, context=context) for n, who in enumerate("ab")], SETTINGS)
    assert [link.verified for link in evidence.links()] == [False, False]
