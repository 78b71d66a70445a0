"""Keys are what they were: another number would repeat sends and move people between hold-outs."""

from __future__ import annotations

from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from aimwell.core.keys import SHARDS, number_of, shard_of, share_of

TOP = 1 << 63


def test_the_digest_is_the_published_one() -> None:
    # RFC 7693, appendix A: BLAKE2b-512 of "abc", first eight bytes.
    assert blake2b(b"abc").hexdigest()[:16] == "ba80a53f981c4d0d"
    told = blake2b((1).to_bytes(8, "big") + b"a" + (2).to_bytes(8, "big") + b"bc", digest_size=8).digest()
    assert number_of("a", "bc") == int.from_bytes(told, "big") % TOP


def test_keys_never_change() -> None:
    assert {parts: number_of(*parts) for parts in FIXED} == FIXED
    assert [shard_of(customer) for customer in ("c1", "c2", "客户", "")] == FIXED_SHARDS
    assert share_of("hold-out", "c1") == number_of("hold-out", "c1") / TOP


FIXED: dict[tuple[str, ...], int] = {
    (): 7_252_660_547_403_494_068,
    ("",): 5_334_771_438_577_110_040,
    ("", ""): 5_931_422_162_917_553_166,
    ("welcome", "c1"): 1_229_354_473_584_668_186,
    ("ab", "c"): 6_587_551_618_029_850_303,
    ("a", "bc"): 5_968_407_376_401_651_863,
    ("千面", "客户一"): 297_746_105_446_173_760,
    ("\ud800",): 8_801_437_483_404_089_931,
}
FIXED_SHARDS = [61, 17, 59, 17]


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_parts_have_different_keys_that_fit_a_signed_number(one: list[str], other: list[str]) -> None:
    assert (number_of(*one) == number_of(*other)) == (one == other)
    assert 0 <= number_of(*one) < TOP
    assert 0.0 <= share_of(*one) < 1.0


def test_the_parts_of_the_work_are_of_one_size() -> None:
    counts = [0] * SHARDS
    for n in range(64_000):
        counts[shard_of(f"c{n}")] += 1
    assert chisquare(counts).pvalue > 1e-4


def test_hold_out_and_shard_do_not_know_each_other() -> None:
    held = [0] * SHARDS
    for n in range(64_000):
        held[shard_of(f"c{n}")] += share_of("hold-out", f"c{n}") < 0.5
    assert chisquare(held).pvalue > 1e-4
