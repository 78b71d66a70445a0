"""What people call the columns of canonical tables, in Chinese and English, and how near a raw name comes to one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from aimwell.core.tables import TABLES

_PARTS = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")


def plain_name(name: str) -> str:
    """A name without case, separators and signs.

    >>> plain_name("Customer ID"), plain_name("customer_id"), plain_name("客户(编号)")
    ('customerid', 'customerid', '客户编号')
    """
    return _PARTS.sub("", name.lower())


@cache
def _words() -> Mapping[str, Mapping[str, list[str]]]:
    found: Mapping[str, Mapping[str, list[str]]] = yaml.safe_load(
        files("aimwell.store.sources.proposing").joinpath("names.yaml").read_text(encoding="utf-8")
    )
    return found


@cache
def said(table: str, column: str) -> frozenset[str]:
    """Every plain name of a canonical column."""
    known = _words()["columns"]
    own = known.get(f"{table}.{column}") or known.get(column, [])
    return frozenset(plain_name(word) for word in [*own, column])


def nearness(raw: str, table: str, column: str) -> float:
    """How near a raw name comes to a canonical column: 1 is one of its names, below 0.6 means nothing.

    >>> nearness("InvoiceNo", "purchase", "order_id"), nearness("colour", "purchase", "order_id") < 0.6
    (1.0, True)
    """
    name, words = plain_name(raw), said(table, column)
    if name in words:
        return 1.0
    if name in {"id", "编号"} and column == f"{table}_id":
        return 0.75
    if name.startswith(table) and name.removeprefix(table) in words:
        return 0.95
    best = 0.0
    for word in words:
        if len(word) >= 2 and any("\u4e00" <= sign <= "\u9fff" for sign in word) and word in name:
            best = max(best, 0.6 + 0.3 * len(word) / len(name))
        elif len(word) >= 4 and (name.startswith(word) or name.endswith(word)):
            best = max(best, 0.6 + 0.25 * len(word) / len(name))
        elif len(word) >= 5:
            likeness = difflib.SequenceMatcher(None, name, word).ratio()
            best = max(best, likeness * 0.85 if likeness > 0.85 else 0.0)
    return best


def hinted(path: str) -> set[str]:
    """The tables that the name of a file speaks of."""
    text = path.lower()
    words = set(re.split(r"[^a-z]+", text))
    found: set[str] = set()
    for table, hints in _words()["files"].items():
        for hint in hints:
            if hint in words or (not hint.isascii() and hint in text):
                found.add(table)
    return found & set(TABLES)
