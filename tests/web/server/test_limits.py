"""A write key may send so much at once and so much for long; who is in debt waits until it is paid."""

from __future__ import annotations

import pytest

from aimwell.core.errors import BadQuestion
from aimwell.web.server.limits import Bucket, Pace


def test_a_bucket_gives_its_burst_then_its_pace() -> None:
    at = [0.0]
    bucket = Bucket(Pace(per_second=10, burst=20), clock=lambda: at[0])
    assert bucket.wait() == 0
    bucket.charge(50)  # the last request may be larger than what is left
    assert bucket.wait() == 3
    at[0] = 2.9
    assert bucket.wait() == 1
    at[0] = 3.1
    assert bucket.wait() == 0
    at[0] = 1_000
    bucket.charge(20)  # a rest fills it to its burst, never above
    assert bucket.wait() == 1


def test_a_pace_of_nothing_is_refused() -> None:
    for per_second, burst in ((0, 1), (-1, 1), (1, 0.5)):
        with pytest.raises(BadQuestion):
            Pace(per_second, burst)
