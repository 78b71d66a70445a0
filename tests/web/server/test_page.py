"""The page about intake says what the server does: its codes, statuses, limits, numbers and addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from aimwell.store.intake.messages import KINDS
from aimwell.store.ledger.inbox import CAPACITY_CHARACTERS, CAPACITY_MESSAGES, WINDOW, Inbox
from aimwell.store.ledger.ledger import open_ledger
from aimwell.web.server.bodies import SLOWEST_SECONDS
from aimwell.web.server.desk import PATIENCE_SECONDS, Desk
from aimwell.web.server.events import BATCHES, measure
from aimwell.web.server.keys import KeyRing, read_keys
from aimwell.web.server.limits import Pace

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "intake.md").read_text(encoding="utf-8")
SERVER = ROOT / "src" / "aimwell" / "web" / "server"


def test_every_way_to_decline_is_on_the_page_with_its_status() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SERVER.glob("*.py"))
    declined = set(re.findall(r'Declined\((\d+), "(\w+)"', source)) - {("404", "unknown_key")}
    rows = dict(re.findall(r"^\| (\d+) \| (`.+?`) \|", PAGE, re.MULTILINE))
    assert len(declined) > 8
    assert [(status, code) for status, code in declined if f"`{code}`" not in rows.get(status, "")] == []


def test_every_number_for_prometheus_is_on_the_page(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    text = measure(Desk(Inbox(ledger), KeyRing([])), lambda: 0)
    ledger.close()
    names = re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)
    assert len(names) == 10
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_addresses_and_limits_are_those_of_the_code(tmp_path: Path) -> None:
    assert [name for name in (*KINDS, *BATCHES) if f"`/v1/{name}`" not in PAGE] == []
    pace = Pace()
    said = [
        f"at least {WINDOW.days} days",
        f"{CAPACITY_MESSAGES:,} messages ({CAPACITY_CHARACTERS // 2**20} MB) wait",
        f"more than {SLOWEST_SECONDS} seconds to arrive",
        f"took more than {PATIENCE_SECONDS} seconds",
        f"{pace.per_second:,} messages a second",
        f"{pace.burst:,} at once",
    ]
    assert [text for text in said if text not in re.sub(r"\s+", " ", PAGE)] == []


def test_the_file_of_keys_on_the_page_can_be_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "keys.toml").write_text(block, encoding="utf-8")
    assert [(key.name, key.trusted) for key in read_keys(tmp_path / "keys.toml")] == [
        ("crm", True),
        ("shop-page", False),
    ]
    assert set(tomllib.loads(block)) == {"crm", "shop-page"}
