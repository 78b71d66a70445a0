"""Requests as the official libraries send them, written by hand after their source, and small ones to vary."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

RECEIVED = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)


def track(**fields: Any) -> dict[str, Any]:
    """The smallest good track call, with what a test adds; None takes a field away."""
    whole = {"type": "track", "event": "Paid", "userId": "u1", "messageId": "m1", **fields}
    return {key: value for key, value in whole.items() if value is not None}


def body(*batch: object, **fields: object) -> bytes:
    return json.dumps({"batch": list(batch), **fields}).encode()


def stamp(instant: datetime) -> str:
    """An instant as JavaScript writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03}Z"


def node_batch(sent: datetime) -> bytes:
    """analytics-node: compact JSON, an id with a prefix, the library in each context, one `sentAt` for all."""
    library = {"library": {"name": "@segment/analytics-node", "version": "2.2.0"}}
    happened = stamp(sent - timedelta(seconds=10))
    return json.dumps(
        {
            "batch": [
                {
                    "userId": "019mr8mf4r",
                    "traits": {"email": "li@example.com", "name": "李雷", "plan": "gold"},
                    "type": "identify",
                    "context": library,
                    "timestamp": happened,
                    "messageId": "node-next-1772352000000-3f0b1b1e-7d2c-4a52-9a55-7d1d3f5a9c10",
                    "integrations": {},
                    "_metadata": {"nodeVersion": "20.11.0", "jsRuntime": "node"},
                },
                {
                    "userId": "019mr8mf4r",
                    "event": "Order Completed",
                    "properties": {
                        "order_id": "50314b8e",
                        "total": 27.5,
                        "products": [{"sku": "45790-32", "price": 19, "quantity": 1}],
                    },
                    "type": "track",
                    "context": library,
                    "timestamp": happened,
                    "messageId": "node-next-1772352000001-8a6e0a34-52a1-4bd5-a7bd-2d7e5a0f77aa",
                    "integrations": {"All": True, "Mixpanel": False},
                    "_metadata": {"nodeVersion": "20.11.0", "jsRuntime": "node"},
                },
                {
                    "userId": "019mr8mf4r",
                    "groupId": "acme",
                    "traits": {"industry": "retail"},
                    "type": "group",
                    "context": library,
                    "timestamp": happened,
                    "messageId": "node-next-1772352000002-c04dd2d0-0b15-4c1f-8a35-4b8f4c2d8f61",
                    "integrations": {},
                },
                {
                    "userId": "019mr8mf4r",
                    "previousId": "old_id",
                    "type": "alias",
                    "context": library,
                    "timestamp": happened,
                    "messageId": "node-next-1772352000003-5f8b8f2a-8e4f-4c76-b5c0-30b5d02f7f5d",
                    "integrations": {},
                },
            ],
            "writeKey": "aWriteKey",
            "sentAt": stamp(sent),
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


def browser_page(sent: datetime) -> bytes:
    """analytics-next: one call, posted to /v1/p, anonymous, with the write key in the body and nulls for nothing."""
    page = {"path": "/shoes", "referrer": "", "search": "?q=1", "title": "鞋", "url": "https://shop.example/shoes?q=1"}
    return json.dumps(
        {
            "timestamp": stamp(sent - timedelta(milliseconds=300)),
            "integrations": {"Segment.io": True},
            "type": "page",
            "name": "Shoes",
            "category": "Catalogue",
            "properties": {**page, "name": "Shoes", "category": "Catalogue"},
            "context": {
                "page": page,
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
                "locale": "zh-CN",
                "library": {"name": "analytics.js", "version": "npm:next-1.76.0"},
                "timezone": "Asia/Shanghai",
            },
            "userId": None,
            "anonymousId": "6d0f30b2-5d0c-4a3a-8a3a-59d1b8f1f2f4",
            "messageId": "ajs-next-1772352000000-59d1b8f1-2d2c-4a52-9a55-7d1d3f5a9c10",
            "writeKey": "aWriteKey",
            "sentAt": stamp(sent),
            "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


def python_batch(sent: datetime) -> bytes:
    """segment-analytics-python: spaces and escapes in its JSON, microseconds with an offset, no anonymous id."""
    happened = (sent - timedelta(minutes=2)).isoformat()
    library = {"library": {"name": "analytics-python", "version": "2.3.3"}}
    return json.dumps(
        {
            "batch": [
                {
                    "integrations": {},
                    "anonymousId": None,
                    "timestamp": happened,
                    "context": library,
                    "userId": "4711",
                    "traits": {"城市": "上海"},
                    "type": "identify",
                    "messageId": "1f1a2b0e-9c0c-4e2e-8a39-2b1a4be3f1a1",
                },
                {
                    "integrations": {},
                    "anonymousId": None,
                    "properties": {"amount": 12, "tags": ["a", "b"]},
                    "timestamp": happened,
                    "context": library,
                    "userId": "4711",
                    "type": "track",
                    "event": "付款",
                    "messageId": "0d3c2f77-7a9e-4b7e-9ab4-4f8f4e2f9b02",
                },
                {
                    "integrations": {},
                    "anonymousId": "a-1",
                    "properties": {},
                    "timestamp": happened,
                    "context": library,
                    "userId": None,
                    "type": "screen",
                    "name": "Home",
                    "category": "Main",
                    "messageId": "c66f6a3e-3c7b-4b56-9d8b-0f6f6c9b9d03",
                },
            ],
            "sentAt": sent.isoformat(),
        }
    ).encode()
