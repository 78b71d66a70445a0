"""A runner of commands, and a small shop with a few orders in a CSV file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from aimwell.cli.main import build


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


Run = Callable[..., Said]


def invoke(*words: str) -> Said:
    """Run `aimwell` with the given words, in this process; an error that nobody told comes up."""
    result = CliRunner().invoke(build(), list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def run() -> Run:
    """Runs `aimwell` with the given words, in this process."""
    return invoke


_SOURCE = """\
read: {path: orders.csv}
tables:
  - table: purchase
    columns: {order_id: order_no, customer_id: customer_id, occurred_at: order_date, amount: amount}
"""

_SEGMENT = """\
label: {zh: 近期买过, en: Bought lately}
kind: behavioural
rule: {purchases: {within: 28d}}
"""


def make_shop(folder: Path) -> Path:
    """A workspace with one source and one segment, not yet loaded."""
    assert invoke("init", str(folder), "--name", "Corner shop").code == 0
    chance = Random(3)
    begin = date(2025, 1, 6)
    lines = ["order_no,customer_id,order_date,amount"]
    for order in range(400):
        day = begin + timedelta(days=chance.randrange(180))
        lines.append(f"{order},c{chance.randrange(60)},{day.isoformat()},{chance.randrange(500, 9000) / 100}")
    lines.append("bad,c1,yesterday,5.00")
    (folder / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "sources" / "orders.yaml").write_text(_SOURCE, encoding="utf-8")
    (folder / "segments" / "recent.yaml").write_text(_SEGMENT, encoding="utf-8")
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace with one source and one segment, not yet loaded."""
    return make_shop(tmp_path / "shop")
