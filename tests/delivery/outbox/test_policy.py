from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from aimwell.core.errors import BadDefinition
from aimwell.delivery.outbox.policy import Retry, read_policy
from aimwell.delivery.outbox.reasons import REASONS

PAGE = Path(__file__).parents[3] / "docs" / "delivery.md"


def test_the_example_of_the_page_is_a_policy() -> None:
    block = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    policy = read_policy(tomllib.loads(block[1])["delivery"], ["sms", "email"])
    assert [cap.label for cap in policy.caps] == ["3 within 7 d on *", "1 within 1 d on sms"]
    assert policy.quiet_hours[0].minutes == (21 * 60, 8 * 60)
    assert policy.throttle["email"].interval == 20_000
    assert policy.cost("sms") == 45_000


def test_the_page_has_every_reason() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not [word for word in REASONS if f"`{word}`" not in page]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"caps": [{"at_most": 0, "within": "7d"}]}, "delivery.caps.0.at_most"),
        ({"caps": [{"at_most": 1, "within": "soon"}]}, "length of time"),
        ({"quiet_hours": {"since": "9pm"}}, "since"),
        ({"quiet_hours": {"since": "08:00", "until": "08:00"}}, "end when they begin"),
        ({"quiet_hours": {"weekdays": ["someday"]}}, "weekdays"),
        ({"throttle": {"sms": {}}}, "per_second or per_minute"),
        ({"caps": [{"at_most": 1, "within": "1d", "channels": ["pigeon"]}]}, "no channel 'pigeon'"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_wrong_policy_is_told_with_its_place(content: dict[str, object], words: str) -> None:
    with pytest.raises(BadDefinition, match=re.escape(words)):
        read_policy(content, ["sms"])


def test_all_problems_come_together() -> None:
    with pytest.raises(BadDefinition) as told:
        read_policy({"caps": [{"at_most": 0, "within": "x"}], "lease": "never"})
    assert len(told.value.problems) == 3


def test_waits_double_up_to_the_ceiling_and_differ_by_key_alone() -> None:
    retry = Retry(first=timedelta(minutes=1), ceiling=timedelta(hours=1))
    waits = [retry.wait("k", number) for number in range(1, 12)]
    assert waits == [retry.wait("k", number) for number in range(1, 12)]
    for number, wait in enumerate(waits):
        step = min(timedelta(minutes=1) * 2**number, timedelta(hours=1))
        assert step * 0.75 <= wait <= step
    assert retry.wait("k", 1) != retry.wait("other", 1)


def test_the_defaults_bridge_a_day() -> None:
    total = sum((Retry().wait("k", number) * 1 for number in range(1, 16)), timedelta())
    assert total > timedelta(days=1)
