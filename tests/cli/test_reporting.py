"""The report of a small shop: what the job leaves, what is gathered beside, and what a second run says."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.cli.reporting import run_and_report
from aimwell.store.workspace import open_workspace

_LOYAL = """\
label: {zh: 常客, en: Regulars}
kind: behavioural
rule: {purchases: {within: 84d, count: {at_least: 4}}}
"""
_NOBODY = """\
label: {zh: 无人, en: Nobody}
kind: value
rule: {purchases: {within: 28d, amount: {above: 1000000}}}
"""


@pytest.fixture(autouse=True)
def _segments(shop: Path) -> None:
    (shop / "segments" / "loyal.yaml").write_text(_LOYAL, encoding="utf-8")
    (shop / "segments" / "nobody.yaml").write_text(_NOBODY, encoding="utf-8")


@pytest.mark.slow
def test_a_run_leaves_a_report_that_tells_segments_apart_and_a_second_run_tells_of_the_first(shop: Path) -> None:
    workspace = open_workspace(shop)
    first = run_and_report(workspace, as_of=None, language="en").report.read_text(encoding="utf-8")
    for words in (
        "Corner shop: whom to contact",
        "What makes it different",
        "Regulars and Bought lately",
        "all of them new",
        "Nobody belongs today.",
        "occurred_at cannot be read 1",
        "Read 401 = kept 400 + rejected 1 + filtered or duplicate 0 ✓",
    ):
        assert words in first
    again = run_and_report(workspace, as_of=None, language="zh").report.read_text(encoding="utf-8")
    assert '<html lang="zh">' in again
    for words in ("Nothing new this time; 401 rows were read before.", "occurred_at 无法识别 1", "0 entered, 0 left"):
        assert words in again
    assert not list(shop.glob("out/.*"))
