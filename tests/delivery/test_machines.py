"""Machines among those who open and click: each sign, and people who are left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aimwell.delivery.machines import Hit, judge, sign_of_machine

SENT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"


def hit(seconds: float, number: int = 1, client: str = PERSON, method: str = "GET", **headers: str) -> Hit:
    return Hit(SENT + timedelta(seconds=seconds), number, method, {"User-Agent": client, **headers})


@pytest.mark.parametrize(
    ("one", "sign"),
    [
        (hit(60), None),
        (hit(60, method="HEAD"), "head_request"),
        (hit(60, method="OPTIONS"), "head_request"),
        (hit(60, client=""), "no_client"),
        (hit(60, client="facebookexternalhit/1.1"), "known_client"),
        (hit(60, client="Mozilla/5.0 (compatible; bingbot/2.0)"), "known_client"),
        (hit(60, client="python-requests/2.31"), "known_client"),
        (hit(60, client="Mozilla/5.0"), "known_client"),
        (
            hit(60, client="Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)"),
            None,
        ),
        (hit(60, client="Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile MicroMessenger/8.0.40"), None),
        (Hit(SENT, 1, "GET", {"user-agent": PERSON, "sec-purpose": "prefetch;prerender"}), "prefetch"),
        (Hit(SENT, 1, "GET", {"User-Agent": PERSON, "X-Purpose": "preview"}), "prefetch"),
    ],
)
def test_a_single_request_shows_its_maker(one: Hit, sign: str | None) -> None:
    assert sign_of_machine(one) == sign


def test_all_links_followed_within_seconds_are_a_scanner() -> None:
    hits = [hit(4, 1), hit(5, 2), hit(6, 3), hit(3_600, 2)]
    assert judge(hits, delivered_at=SENT, links=3) == ["all_links", "all_links", "all_links", None]


def test_some_links_followed_within_seconds_may_be_a_person() -> None:
    assert judge([hit(6, 1), hit(9, 2)], delivered_at=SENT, links=3) == [None, None]
    assert judge([hit(4, 1)], delivered_at=SENT, links=1) == [None]


def test_all_links_followed_slowly_are_a_person() -> None:
    assert judge([hit(6, 1), hit(40, 2)], delivered_at=SENT, links=2) == [None, None]


def test_a_click_at_once_is_a_machine_and_a_picture_at_once_is_not_said_to_be() -> None:
    assert judge([hit(1, 1), hit(1, 0)], delivered_at=SENT, links=1) == ["at_once", None]


def test_the_verdict_on_early_clicks_comes_with_the_rest_of_the_sweep() -> None:
    early = [hit(3, 1)]
    assert judge(early, delivered_at=SENT, links=2) == [None]
    assert judge([*early, hit(7, 2)], delivered_at=SENT, links=2) == ["all_links", "all_links"]


def test_nothing_is_said_of_nothing() -> None:
    assert judge([], delivered_at=SENT, links=0) == []
