"""Whatever is in the files, every row is accounted for once: the ledger equals a plain count, row by row."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.sources.workbench import load, rows, source, tally, write

from aimwell.store.sources.rejects import rejects
from aimwell.store.warehouse.duck import DuckEngine

YAML = """
read: {path: 'd/*.csv'}
timezone: UTC
tables:
  - table: purchase
    columns: {order_id: order, line: line, customer_id: customer, occurred_at: at, amount: paid}
    where: order <> 'skip'
    reject: {no_product: line = 'POST'}
"""
RULES = {"none": "", "first": "    deduplicate: {keep: first}\n", "last": "    deduplicate: {keep: last, by: amount}\n"}

cells = st.tuples(
    st.sampled_from(["1", "2", "skip", " ", ""]),
    st.sampled_from(["1", "2", "POST", ""]),
    st.sampled_from(["ann", "bob", ""]),
    st.sampled_from(["2024-05-01", "2024-05-02", "never", ""]),
    st.sampled_from(["1", "1.00", "2", "¥1,000", "much", ""]),
)
lines = st.one_of(cells, st.just(("too", "short")))
files = st.lists(st.lists(lines, max_size=8), min_size=1, max_size=3)

Line = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row that may be kept: its key, values and place."""

    key: tuple[str | None, str | None]
    values: tuple[object, ...]
    amount: Decimal
    place: tuple[int, int]


def reason(line: Line) -> str | None:
    """Why the row is not kept by itself, found without any SQL."""
    if len(line) != 5:
        return "malformed_row"
    order, kind, customer, at, paid = (cell.strip() for cell in line)
    if order in ("", "skip"):
        return "filtered"
    if kind == "POST":
        return "no_product"
    for name, value, bad in (("occurred_at", at, "never"), ("amount", paid, "much")):
        if value == bad:
            return f"unreadable_{name}"
    for name, value in (("customer_id", customer), ("occurred_at", at), ("amount", paid)):
        if not value:
            return f"missing_{name}"
    return None


def plain(contents: list[list[Line]], rule: str) -> tuple[Counter[str], set[tuple[object, ...]]]:
    """The ledger and the kept rows, by a loop."""
    ends: Counter[str] = Counter()
    claims: dict[tuple[str | None, str | None], list[Row]] = {}
    for number, content in enumerate(contents):
        for at, line in enumerate(content):
            if why := reason(line):
                ends[why] += 1
                continue
            order, kind, customer, day, paid = (cell.strip() or None for cell in line)
            amount = Decimal((paid or "").replace("¥", "").replace(",", "")).quantize(Decimal("0.01"))
            row = Row((order, kind), (order, kind, customer, day, amount), amount, (number, at))
            claims.setdefault(row.key, []).append(row)
    kept: set[tuple[object, ...]] = set()
    for found in claims.values():
        winner = max(found, key=lambda r: (r.amount, r.place)) if rule == "last" else found[0]
        kept.add(winner.values)
        for other in found:
            if other is not winner:
                ends["duplicate" if other.values == winner.values else "superseded" if RULES[rule] else "conflict"] += 1
    ends["kept"] = len(claims)
    return ends, kept


@settings(max_examples=settings().max_examples // 12)
@given(contents=files, rule=st.sampled_from(sorted(RULES)))
def test_the_ledger_equals_a_plain_count(contents: list[list[Line]], rule: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(contents):
            body = "".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in content)
            write(Path(folder), f"d/{number}.csv", "order,line,customer,at,paid\n" + body)
        engine = DuckEngine()
        found = tally(load(engine, Path(folder), source(YAML + RULES[rule])))
    ends, kept = plain(contents, rule)
    assert found.read == sum(len(content) for content in contents)
    assert (found.kept, found.filtered) == (ends["kept"], ends["filtered"])
    assert found.superseded == ends["superseded"]
    assert found.duplicates == ends["duplicate"] + ends["superseded"]
    refused = {end: n for end, n in ends.items() if end.startswith(("malformed", "missing", "unreadable", "no_"))}
    refused["conflicting_key"] = ends["conflict"]
    assert found.rejected == {end: n for end, n in refused.items() if n}
    assert found.refused == len(rejects(engine, limit=1000))
    seen = rows(engine, "purchase", "order_id", "line", "customer_id", "occurred_at", "amount")
    assert {(*row[:3], f"{row[3]:%Y-%m-%d}", row[4]) for row in seen} == kept
    assert len(seen) == found.kept
