"""The files that the simulated shop's systems would hand over."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from aimwell.simulation.files import as_text, by_month, delivered, write_csv, write_json_lines, write_truth
from aimwell.simulation.market import Market

_OFFSET = 8
_MEMBERS = {
    "member_id": "customer_id",
    "signed_up": "created_at",
    "birthday": "birth_date",
    "gender": "gender",
    "city": "city",
    "province": "region",
    "lang": "language",
    "tz": "timezone",
    "came_from": "source",
}
_GOODS = {
    "sku": "product_id",
    "title": "name",
    "category": "category",
    "department": "department",
    "brand": "brand",
    "price": "price",
    "margin": "margin",
}
_ORDERS = {
    "order_no": "order_id",
    "line_no": "line",
    "member_id": "customer_id",
    "sku": "product_id",
    "paid_at": "occurred_at",
    "pieces": "quantity",
    "paid": "amount",
    "saved": "discount",
    "channel": "channel",
}
_EVENTS = {
    "id": "event_id",
    "member": "customer_id",
    "action": "name",
    "at": "occurred_at",
    "received": "received_at",
    "channel": "channel",
    "session": "session_id",
    "details": "properties",
}
_MESSAGES = {
    "message_id": "touch_id",
    "member_id": "customer_id",
    "campaign": "campaign",
    "channel": "channel",
    "sent_at": "occurred_at",
    "hour_chance": "probability",
    "cost": "cost",
}
_ANSWERS = {
    "answer_id": "outcome_id",
    "message_id": "touch_id",
    "member_id": "customer_id",
    "answer": "kind",
    "at": "occurred_at",
}
_SURVEY = {
    "response_id": "feedback_id",
    "member_id": "customer_id",
    "question": "source",
    "words": "text",
    "number": "rating",
    "lang": "language",
    "at": "occurred_at",
}
_DEVICES = {
    "device": "device_id",
    "member_id": "customer_id",
    "system": "kind",
    "model": "model",
    "push_token": "push_token",
    "first_seen": "first_seen",
}
_WEATHER = {"day": "day", "city": "place", "measure": "kind", "value": "value", "issued": "issued_at"}
_LIFESTYLES = {"category": "head", "tie": "relation", "lifestyle": "tail", "weight": "weight"}


def write_shop(folder: Path, market: Market) -> None:
    """All files: `data/` holds what the shop hands over, `truth/` what nobody there knows."""
    tables, data = market.tables, folder / "data"
    for name, table, names in (
        ("members", "customer", _MEMBERS),
        ("goods", "product", _GOODS),
        ("orders", "purchase", _ORDERS),
        ("messages", "touch", _MESSAGES),
        ("answers", "outcome", _ANSWERS),
        ("survey", "feedback", _SURVEY),
        ("devices", "device", _DEVICES),
        ("weather", "context", _WEATHER),
        ("lifestyles", "relation", _LIFESTYLES),
    ):
        _csv(data / f"{name}.csv", tables[table], names)
    events = delivered(tables["event"], _EVENTS, offset_hours=_OFFSET)
    for month, rows in by_month(events, "at"):
        write_json_lines(data / "events" / f"{month}.jsonl", as_text(rows, "at", "received", offset="+08:00"))
    write_truth(folder / "truth", market.truth)


def _csv(path: Path, table: pa.Table, names: dict[str, str]) -> None:
    write_csv(path, delivered(table, names, offset_hours=_OFFSET))
