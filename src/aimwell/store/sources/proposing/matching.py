"""Which canonical table a file seems to hold, and which raw column each of its columns: by names, and by values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aimwell.core.tables import TABLES, Kind, Table
from aimwell.store.sources.checks import RESERVED
from aimwell.store.sources.proposing.names import hinted, nearness
from aimwell.store.sources.proposing.values import Guess, Meaning

# Tables that an unknown file may be; the others (relation, context, …) are too free in form to be recognised.
CANDIDATES = ("purchase", "customer", "product", "event", "balance", "touch", "outcome", "feedback", "spend", "offer")
_LEAST = 0.6
_MADE = 0.85
_ONE_EACH = 0.9  # a list of people or products names (nearly) each of them once
_NUMERIC: frozenset[Meaning] = frozenset({"number", "integer"})
_TIMES: frozenset[Meaning] = frozenset({"instant", "day"})
# Ids that can be made when a file has none, so that their absence does not speak against a table.
MADE = {
    "event": ("event_id",),
    "touch": ("touch_id",),
    "outcome": ("outcome_id",),
    "feedback": ("feedback_id",),
}


@dataclass(frozen=True)
class Match:
    """One table with the raw columns found for its own, each with how sure that is (0 to 1).

    explained: share of the raw columns that it uses.   made: expressions for columns that the file lacks.
    """

    table: Table
    columns: Mapping[str, str]
    sureness: Mapping[str, float]
    explained: float = 0.0
    missing: tuple[str, ...] = ()
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """How well the table fits (0 to 1): how sure its required columns are, and how much of the file it explains."""
        required = [self.sureness.get(name, _MADE if name in self.made else 0.0) for name in self.table.required]
        return sum(required) / len(required) * (0.6 + 0.4 * self.explained)


def best_match(path: str, guesses: Mapping[str, Guess], *, among: Iterable[str] = CANDIDATES, rows: int) -> list[Match]:
    """The tables that the columns could be, the likeliest first; those that lack a required column come last.

    path: its name may speak of a table.   rows: how many rows the guesses rest on.
    """
    spoken = hinted(path)
    matches = [match(TABLES[name], guesses, rows=rows) for name in among]
    return sorted(
        (m for m in matches if m.sureness),
        key=lambda m: (bool(m.missing), -(m.score + 0.2 * (m.table.name in spoken)), m.table.name),
    )


def match(table: Table, guesses: Mapping[str, Guess], *, rows: int, taken: Iterable[str] = ()) -> Match:
    """The raw columns for one table: the nearest pairs first, each raw column once."""
    free = [name for name in guesses if name not in set(taken)]
    pairs = [
        (_sure(raw, guesses[raw], table, column.name, column.kind), column.name, raw)
        for raw in free
        for column in table.columns
    ]
    columns: dict[str, str] = {}
    sureness: dict[str, float] = {}
    for sure, name, raw in sorted(pairs, key=lambda pair: (-pair[0], pair[1], free.index(pair[2]))):
        if sure >= _LEAST and name not in columns and raw not in columns.values():
            columns[name], sureness[name] = raw, sure
    made = _made(table, columns, guesses)
    missing = [name for name in table.required if name not in columns and name not in made]
    key = columns.get(table.key[0])
    if table.name in {"customer", "product"} and key and guesses[key].distinct < _ONE_EACH * rows:
        sureness = {name: sure * 0.5 for name, sure in sureness.items()}
    explained = len(columns) / max(1, len(guesses))
    return Match(table, columns, sureness, explained, tuple(missing), made)


def _sure(raw: str, guess: Guess, table: Table, name: str, kind: Kind) -> float:
    return nearness(raw, table.name, name) * _fits(guess, kind)


def _fits(guess: Guess, kind: Kind) -> float:
    """Whether values of that meaning can be of a kind at all."""
    if kind in {"instant", "day"}:
        return 1.0 if guess.meaning in _TIMES or guess.clock else 0.0
    if kind in {"number", "money", "integer"}:
        return 1.0 if guess.meaning in _NUMERIC else 0.0
    if kind == "boolean":
        return 1.0 if guess.meaning == "boolean" else 0.0
    if kind == "json":
        return 1.0 if guess.meaning == "json" else 0.0
    return 0.0 if guess.meaning in _TIMES else 1.0 if guess.meaning != "number" else 0.7


def _made(table: Table, columns: Mapping[str, str], guesses: Mapping[str, Guess]) -> dict[str, str]:
    """Expressions for required columns that the file lacks but its other columns give."""
    row = "concat(file_name(), '-', row_in_file())"
    found = {name: row for name in MADE.get(table.name, ()) if name not in columns}
    if table.name != "purchase":
        return found
    quantity = columns.get("quantity")
    if "amount" not in columns and quantity and (price := unit_price(guesses, columns.values())):
        found["amount"] = f"number({quoted(quantity)}) * number({quoted(price)})"
    if "order_id" not in columns and {"customer_id", "occurred_at"} <= set(columns):
        found["order_id"] = f"concat({quoted(columns['customer_id'])}, '-', {quoted(columns['occurred_at'])})"
    return found


def unit_price(guesses: Mapping[str, Guess], taken: Iterable[str]) -> str | None:
    """The raw column that is the price of one unit."""
    free = [raw for raw in guesses if raw not in set(taken) and guesses[raw].meaning in _NUMERIC]
    scored = [(nearness(raw, "product", "price"), raw) for raw in free]
    return max(scored)[1] if scored and max(scored)[0] >= _LEAST else None


def quoted(name: str) -> str:
    """A raw column as an expression names it.

    >>> quoted("InvoiceNo"), quoted("订单 号")
    ('InvoiceNo', '"订单 号"')
    """
    plain = name.isascii() and name.isidentifier() and name.lower() not in RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


def order_of(names: Iterable[str], table: Table) -> Sequence[str]:
    """Column names in the order of the table."""
    return sorted(names, key=list(table.names).index)
