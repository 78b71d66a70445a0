"""What workspace tags give, on people that can be counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from aimwell.core.rules import parse_rule
from aimwell.core.time import zone
from aimwell.insight.features.build import Features
from aimwell.insight.rules.compile import matching
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.tags.own import OwnTags, own_tags
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace, open_workspace

SHANGHAI = zone("Asia/Shanghai")
AS_OF = datetime(2025, 6, 1, tzinfo=SHANGHAI)
SETTINGS = 'name = "test"\ncurrency = "CNY"\ntimezone = "Asia/Shanghai"\n'

# ann bought twice lately (100 + 300), bob once long ago (500), cid never.
PURCHASES = [
    ("1", "ann", datetime(2025, 5, 20, 4), "100"),
    ("2", "ann", datetime(2025, 5, 25, 4), "300"),
    ("3", "bob", datetime(2025, 1, 5, 4), "500"),
]

TAGS = """
- name: per_order
  label: {zh: 单均, en: Per order}
  meaning: {zh: 近84天每单金额, en: Amount per order in 84 days}
  family: transaction
  unit: {zh: 元, en: CNY}
  formula: ratio(spend_84d, visits_84d)
- name: is_big
  label: {zh: 大单, en: Big orders}
  meaning: {zh: 每单超过150, en: More than 150 per order}
  family: preference
  kind: boolean
  formula: per_order > 150
- name: asleep
  label: {zh: 沉睡, en: Asleep}
  meaning: {zh: 买过但近90天未买, en: Bought once but not in 90 days}
  family: churn
  rule:
    all:
      - purchases: {count: {at_least: 1}}
      - purchases: {within: 90d, count: {is: 0}}
- name: value_group
  label: {zh: 价值组, en: Value group}
  meaning: {zh: 第一个符合的层级, en: First tier that fits}
  family: tier
  tiers:
    - when: {tag: is_big, is: true}
      then: big
    - when: {purchases: {count: {at_least: 1}}}
      then: buyer
  otherwise: stranger
  words:
    big: {zh: 大客, en: Big}
    buyer: {zh: 买家, en: Buyer}
    stranger: {zh: 陌生人, en: Stranger}
- name: ambassador
  label: {zh: 大使, en: Ambassador}
  meaning: {zh: 手工名单, en: Listed by hand}
  family: basic
  manual: {ids: [bob, cid], since: 2025-03-01, until: 2025-09-01, owner: anna}
"""


def workspace_of(folder: Path, tags: str, **files: str) -> Workspace:
    (folder / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "tags").mkdir()
    (folder / "tags" / "all.yaml").write_text(tags, encoding="utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return open_workspace(folder)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    engine = DuckEngine(threads=2)
    engine.write("customer", pa.table({"customer_id": ["ann", "bob", "cid"]}))
    engine.write(
        "purchase",
        pa.table(
            {
                "order_id": [row[0] for row in PURCHASES],
                "line": ["1"] * len(PURCHASES),
                "customer_id": [row[1] for row in PURCHASES],
                "product_id": ["tea", "cup", "tea"],
                "occurred_at": pa.array([row[2] for row in PURCHASES], pa.timestamp("us")),
                "amount": pa.array([Decimal(row[3]) for row in PURCHASES], pa.decimal128(18, 2)),
            }
        ),
    )
    engine.write("everyone", pa.table({"customer_id": ["ann", "bob", "cid"]}))
    yield Warehouse(engine, SHANGHAI)
    engine.close()


def values(own: OwnTags, warehouse: Warehouse, name: str, as_of: datetime = AS_OF) -> dict[str, object]:
    rows = Features(warehouse.history(as_of), own.library).to_arrow("everyone", [name])
    return dict(zip(rows["customer_id"].to_pylist(), rows[name].to_pylist(), strict=True))


def test_a_formula_combines_tags_of_code_and_of_the_workspace(tmp_path: Path, warehouse: Warehouse) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))
    assert values(own, warehouse, "per_order") == {"ann": 200.0, "bob": None, "cid": None}
    assert values(own, warehouse, "is_big") == {"ann": True, "bob": None, "cid": None}


def test_a_rule_gives_yes_or_no_and_tiers_the_first_that_matches(tmp_path: Path, warehouse: Warehouse) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))
    assert values(own, warehouse, "asleep") == {"ann": False, "bob": True, "cid": False}
    assert values(own, warehouse, "value_group") == {"ann": "big", "bob": "buyer", "cid": "stranger"}


def test_a_list_holds_from_its_first_day_to_before_its_last(tmp_path: Path, warehouse: Warehouse) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))

    def listed(day: int, month: int, hour: int = 0) -> list[str]:
        found = values(own, warehouse, "ambassador", datetime(2025, month, day, hour, tzinfo=SHANGHAI))
        return [who for who, is_listed in found.items() if is_listed]

    assert listed(28, 2, 23) == []
    assert listed(1, 3) == ["bob", "cid"]
    assert listed(31, 8, 23) == ["bob", "cid"]
    assert listed(1, 9) == []


def test_a_list_from_a_file_gives_values_and_periods_by_row(tmp_path: Path, warehouse: Warehouse) -> None:
    tags = """
name: contract
label: {zh: 合同, en: Contract}
meaning: {zh: 名单给出的合同, en: Contract as listed}
family: basic
kind: text
manual: {file: contracts.csv, since: 2025-01-01, until: 2026-01-01, owner: anna}
"""
    rows = "\ufeffid,value,since,until\nann,gold,,\nbob,silver,2025-01-01,2025-06-01\nbob,gold,2025-06-01,\n"
    own = own_tags(workspace_of(tmp_path, tags, **{"contracts.csv": rows}))
    assert values(own, warehouse, "contract") == {"ann": "gold", "bob": "gold", "cid": None}
    assert values(own, warehouse, "contract", datetime(2025, 5, 1, tzinfo=SHANGHAI))["bob"] == "silver"


def test_own_tags_are_columns_of_the_library_with_their_words(tmp_path: Path) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))
    column = own.library.column("value_group")
    assert (column.kind, column.label.zh, column.words["big"].en, column.empty) == ("text", "价值组", "Big", "stranger")
    assert own.library.column("per_order").unit.en == "CNY"
    assert own.library.owner("asleep").tag_family == "churn"
    assert list(own.definitions).index("per_order") < list(own.definitions).index("is_big")


def test_segments_can_ask_for_own_tags(tmp_path: Path, warehouse: Warehouse) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))
    history = warehouse.history(AS_OF)
    rule = parse_rule({"all": [{"tag": "value_group", "in": ["buyer", "stranger"]}, {"tag": "ambassador", "is": True}]})
    found = warehouse.engine.to_arrow(matching(rule, RuleContext(Features(history, own.library)), history))
    assert sorted(found["customer_id"].to_pylist()) == ["bob", "cid"]


def test_a_tag_is_known_only_from_what_was_known(tmp_path: Path, warehouse: Warehouse) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))
    early = datetime(2025, 5, 22, tzinfo=SHANGHAI)
    assert values(own, warehouse, "per_order", early) == {"ann": 100.0, "bob": None, "cid": None}
    assert values(own, warehouse, "value_group", early)["ann"] == "buyer"


def test_a_changed_definition_is_computed_anew_and_so_is_what_is_made_from_it(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))
    assert values(own, warehouse, "is_big")["ann"] is True
    file = tmp_path / "tags" / "all.yaml"
    file.write_text(TAGS.replace("ratio(spend_84d, visits_84d)", "ratio(spend_84d, 4)"), encoding="utf-8")
    changed = own_tags(open_workspace(tmp_path))
    assert values(changed, warehouse, "per_order")["ann"] == 100.0
    assert values(changed, warehouse, "is_big")["ann"] is False


def test_a_tag_whose_data_are_missing_is_not_available(tmp_path: Path) -> None:
    engine = DuckEngine(threads=2)
    engine.write("customer", pa.table({"customer_id": ["ann"]}))
    engine.write("everyone", pa.table({"customer_id": ["ann"]}))
    own = own_tags(workspace_of(tmp_path, TAGS))
    with Warehouse(engine, SHANGHAI) as warehouse:
        features = Features(warehouse.history(AS_OF), own.library)
        names = [column.name for column in features.columns(own.definitions)]
        assert names == ["ambassador"]
        assert values(own, warehouse, "per_order") == {"ann": None}


def test_without_a_folder_of_tags_the_library_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    own = own_tags(open_workspace(tmp_path))
    assert not own.definitions
    assert "spend_84d" in own.library.owners


def test_days_of_lists_are_those_of_the_workspace(tmp_path: Path) -> None:
    own = own_tags(workspace_of(tmp_path, TAGS))
    [first, _] = own.lists["ambassador"].entries
    assert (first.id, first.since, first.until) == ("bob", date(2025, 3, 1), date(2025, 9, 1))
