"""The files that the simulated bank would hand over every month."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import compute

from aimwell.simulation.files import (
    as_text,
    by_month,
    delivered,
    write_csv,
    write_json_lines,
    write_parquet,
    write_truth,
)
from aimwell.simulation.market import Market

_OFFSET = 8
_MASTER = {
    "客户号": "customer_id",
    "建档时间": "created_at",
    "出生日期": "birth_date",
    "性别": "gender",
    "城市": "city",
    "省份": "region",
    "月收入": "income_band",
    "职业": "occupation",
    "学历": "education",
    "网点": "unit",
    "来源": "source",
    "客户等级": "tier",
    "风险等级": "risk_level",
    "风险测评时间": "risk_tested_at",
    "信用分": "credit_score",
    "更新时间": "known_at",
}
_PRODUCTS = {
    "prod_code": "product_id",
    "prod_name": "name",
    "prod_type": "category",
    "line": "department",
    "min_amount": "price",
    "risk": "risk_level",
    "term": "term_days",
    "sale_start": "available_since",
    "sale_end": "available_until",
    "details": "properties",
    "announced": "known_at",
}
_BALANCES = {
    "cust_no": "customer_id",
    "acct_no": "account",
    "acct_type": "kind",
    "biz_date": "day",
    "balance": "amount",
    "maturity": "matures_on",
    "credit_line": "credit_limit",
    "dpd": "overdue_days",
}
_CONTRACTS = {
    "contract_no": "order_id",
    "cust_no": "customer_id",
    "prod_code": "product_id",
    "signed_at": "occurred_at",
    "amount": "amount",
    "channel": "channel",
}
_EVENTS = {
    "id": "event_id",
    "customer": "customer_id",
    "action": "name",
    "at": "occurred_at",
    "received": "received_at",
    "channel": "channel",
    "session": "session_id",
    "details": "properties",
}
_TOUCHES = {
    "contact_id": "touch_id",
    "cust_no": "customer_id",
    "campaign": "campaign",
    "offer": "offer_id",
    "channel": "channel",
    "sent_at": "occurred_at",
    "chance": "probability",
    "cost": "cost",
}
_OUTCOMES = {
    "result_id": "outcome_id",
    "contact_id": "touch_id",
    "cust_no": "customer_id",
    "result": "kind",
    "at": "occurred_at",
    "value": "value",
}
_OFFERS = {"offer": "offer_id", "kind": "kind", "scope": "scope", "cost": "cost"}


def write_bank(folder: Path, market: Market) -> None:
    """All files: `data/` holds what the bank hands over, `truth/` what nobody there knows."""
    tables, data = market.tables, folder / "data"
    write_csv(data / "customer_master.csv", _master(tables["customer"]), bom=True)
    _csv(data / "products.csv", tables["product"], _PRODUCTS)
    _csv(data / "contracts.csv", tables["purchase"], _CONTRACTS)
    _csv(data / "contacts.csv", tables["touch"], _TOUCHES)
    _csv(data / "results.csv", tables["outcome"], _OUTCOMES)
    _csv(data / "offers.csv", tables["offer"], _OFFERS)
    for month, rows in by_month(tables["balance"], "day"):
        write_parquet(data / "balances" / f"{month}.parquet", delivered(rows, _BALANCES, offset_hours=_OFFSET))
    events = delivered(tables["event"], _EVENTS, offset_hours=_OFFSET)
    for month, rows in by_month(events, "at"):
        write_json_lines(data / "events" / f"{month}.jsonl", as_text(rows, "at", "received", offset="+08:00"))
    write_truth(folder / "truth", market.truth)


def _csv(path: Path, table: pa.Table, names: dict[str, str]) -> None:
    write_csv(path, delivered(table, names, offset_hours=_OFFSET))


def _master(customers: pa.Table) -> pa.Table:
    """The bank writes 女 and 男."""
    rows = delivered(customers, _MASTER, offset_hours=_OFFSET)
    gender = rows.column("性别")
    words = compute.if_else(compute.equal(gender, "F"), "女", "男")
    return rows.set_column(rows.column_names.index("性别"), "性别", words)
