"""Days of the market as the warehouse's canonical tables and as files, everything labelled as simulated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as arrow_parquet

from aimwell.core.errors import BadQuestion
from aimwell.simulation.chance import Integers, Texts
from aimwell.simulation.files import write_truth
from aimwell.simulation.population import CITIES
from aimwell.simulation.records import Array, canonical, utc
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.people import SOURCES, customer_ids
from aimwell.simulation.regimes.regime import load_regimes, regimes_digest
from aimwell.simulation.regimes.shelf import OFFSET

CAMPAIGN = "simulated"
_INCOMES = (6_000, 10_000, 16_000)
_BANDS = ("0-6000", "6000-10000", "10000-16000", "16000+")


def texts(values: pa.Array) -> Texts:
    """Texts as the arrays that canonical tables are made of."""
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=object)


def customer_table(market: Marketplace, who: Integers) -> pa.Table:
    """What the company knows of some customers, from the moment that they came."""
    people, first = market.people, np.datetime64(market.first_day)
    came = utc(first + people.arrival[who].astype("timedelta64[D]"), _clock(who), OFFSET)
    born = first - (people.age[who].astype(np.int64) * 365 + who % 365).astype("timedelta64[D]")
    bands = np.asarray(_BANDS, dtype=object)[np.searchsorted(_INCOMES, people.income[who], side="right")]
    places = people.city[who].astype(np.int64)
    columns: dict[str, Array] = {
        "customer_id": texts(customer_ids(who)),
        "created_at": came,
        "birth_date": born,
        "gender": np.where(people.female[who], "F", "M").astype(object),
        "city": np.asarray([city.name for city in CITIES], dtype=object)[places],
        "region": np.asarray([city.region for city in CITIES], dtype=object)[places],
        "timezone": np.full(len(who), "Asia/Shanghai", dtype=object),
        "income_band": bands,
        "risk_level": people.risk[who].astype(np.int64),
        "risk_tested_at": came,
        "source": np.asarray(SOURCES, dtype=object)[people.source[who]],
        "known_at": came,
    }
    return canonical("customer", columns)


def day_tables(market: Marketplace, day: Day) -> dict[str, pa.Table]:
    """One day as canonical tables: customer (who came), purchase, event (products looked at), touch, outcome, offer."""
    return {
        "customer": customer_table(market, day.arrived),
        "purchase": _purchases(market, day),
        "event": _events(market, day),
        "offer": _offers(market, day.messages),
        "touch": _touches(market, day),
        "outcome": _outcomes(market, day),
    }


def truth_tables(market: Marketplace) -> dict[str, pa.Table]:
    """Latent traits of everybody, before and after a change; never loaded, only compared with."""
    found: dict[str, pa.Table] = {}
    lines = [line.name for line in market.business.lines]
    kinds = np.asarray([kind.name for kind in market.regime.strata], dtype=object)
    channels = np.asarray([channel.name for channel in market.business.channels], dtype=object)
    for name, traits in (("customers", market.nature.before), ("customers_changed", market.nature.after)):
        if traits is not None:
            found[name] = pa.table(
                {
                    "customer_id": customer_ids(np.arange(len(market.people))),
                    "kind": pa.array(kinds[traits.stratum], pa.string()),
                    "persuasion": traits.persuasion,
                    "provoked": traits.provoked,
                    "needs_discount": traits.seeker,
                    "favourite_channel": pa.array(channels[traits.favourite], pa.string()),
                    "favourite_hour": traits.hour,
                    **{f"need_{line}": traits.affinity[:, place] for place, line in enumerate(lines)},
                }
            )
    return found


def write_run(
    folder: Path,
    market: Marketplace,
    days: int,
    choose: Callable[[Marketplace], Messages] | None = None,
    tell: Callable[[Marketplace, Day], dict[str, pa.Table]] = day_tables,
) -> Mapping[str, int]:
    """Play days and write them, one Parquet file per canonical table in `data/`, and `truth/`; returns rows by table.

    choose: the policy, by default nothing is ever sent.   tell: makes the tables of a played day. Each file says in its
    metadata that it is simulated, in which regime, from which digest of the frozen file. Raises BadQuestion for more
    days than are left.
    """
    if not 0 <= days <= market.days - market.day:
        raise BadQuestion("So many days cannot be played", expected=f"0 to {market.days - market.day}", seen=str(days))
    label = _label(market)
    rows: dict[str, int] = {}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    offered: set[str] = set()
    with ExitStack() as open_files:
        writers: dict[str, arrow_parquet.ParquetWriter] = {}
        for tables in _played(market, days, choose, tell):
            new = np.asarray([each not in offered for each in tables["offer"]["offer_id"].to_pylist()], dtype=bool)
            tables["offer"] = tables["offer"].filter(pa.array(new))
            offered.update(tables["offer"]["offer_id"].to_pylist())
            for name, table in tables.items():
                if name not in writers:
                    schema = table.schema.with_metadata(label)
                    path = folder / "data" / f"{name}.parquet"
                    writers[name] = open_files.enter_context(arrow_parquet.ParquetWriter(path, schema))
                writers[name].write_table(table.replace_schema_metadata(label))
                rows[name] = rows.get(name, 0) + table.num_rows
    write_truth(folder / "truth", {n: t.replace_schema_metadata(label) for n, t in truth_tables(market).items()})
    return rows


def _played(
    market: Marketplace,
    days: int,
    choose: Callable[[Marketplace], Messages] | None,
    tell: Callable[[Marketplace, Day], dict[str, pa.Table]],
) -> Iterator[dict[str, pa.Table]]:
    """Who is there at the beginning and what is sold, then each day."""
    yield {
        "customer": customer_table(market, np.arange(market.present)),
        "product": market.shelf.table(market.business, market.first_day),
        "offer": _offers(market, Messages.none()),
    }
    for _ in range(days):
        yield tell(market, market.step(choose(market) if choose else None))


def _label(market: Marketplace) -> dict[str, str]:
    return {
        "simulated": "true",
        "regime": market.name,
        "seed": str(market.nature.seed),
        "regimes_version": str(load_regimes().version),
        "regimes_digest": regimes_digest(),
    }


def _clock(who: Integers) -> Integers:
    """A second of the day at which each came, in the morning."""
    return np.asarray(8 * 3_600 + who % 3_600, dtype=np.int64)


def _instants(day: Day, second: Integers) -> Array:
    return utc(np.full(len(second), np.datetime64(day.on)), second, OFFSET)


def _numbered(prefix: str, day: Day, places: Integers) -> Texts:
    """Ids that are unique over all days: the day, then the place."""
    return np.asarray([f"{prefix}{day.number:03d}-{place:07d}" for place in places.tolist()], dtype=object)


def _purchases(market: Marketplace, day: Day) -> pa.Table:
    bought = day.purchases
    count = len(bought)
    names = np.asarray([*(channel.name for channel in market.business.channels), "app"], dtype=object)
    return canonical(
        "purchase",
        {
            "order_id": _numbered("R", day, bought.customer),
            "line": np.full(count, "1", dtype=object),
            "customer_id": texts(customer_ids(bought.customer)),
            "product_id": market.shelf.ids[bought.product],
            "occurred_at": _instants(day, bought.second),
            "quantity": np.ones(count),
            "amount": (bought.price - bought.discount) / 100,
            "discount": bought.discount / 100,
            "coupon_discount": bought.discount / 100,
            "channel": names[np.append(day.messages.channel, len(names) - 1)[bought.message]],
        },
    )


def _events(market: Marketplace, day: Day) -> pa.Table:
    seen, shelf = day.views, market.shelf
    lines = [line.name for line in market.business.lines]
    said = [
        json.dumps({"product_id": each, "category": lines[line], "simulated": True})
        for each, line in zip(shelf.ids, shelf.line.tolist(), strict=True)
    ]
    at = _instants(day, seen.second)
    return canonical(
        "event",
        {
            "event_id": _numbered("E", day, seen.customer),
            "customer_id": texts(customer_ids(seen.customer)),
            "name": np.full(len(seen), "product_viewed", dtype=object),
            "occurred_at": at,
            "channel": np.full(len(seen), "app", dtype=object),
            "properties": np.asarray(said, dtype=object)[seen.product],
            "received_at": at,
        },
    )


def offer_id(product_id: str, depth: float) -> str:
    """The id of a product at a discount.

    >>> offer_id("P000001", 0.05)
    'P000001-050'
    """
    return f"{product_id}-{round(depth * 1000):03d}"


def _offer_ids(market: Marketplace, messages: Messages) -> Texts:
    named = zip(market.shelf.ids[messages.product], messages.depth.tolist(), strict=True)
    return np.asarray([offer_id(product, depth) for product, depth in named], dtype=object)


def _offers(market: Marketplace, messages: Messages) -> pa.Table:
    names, first = np.unique(_offer_ids(market, messages).astype(str), return_index=True)
    lines = np.asarray([line.name for line in market.business.lines], dtype=object)
    kept = messages.take(first)
    return canonical(
        "offer",
        {
            "offer_id": names.astype(object),
            "kind": np.where(kept.depth > 0, "discount", "product").astype(object),
            "scope": lines[market.shelf.line[kept.product]],
            "discount": market.nature.off(kept.product, kept.depth) / 100,
        },
    )


def _touches(market: Marketplace, day: Day) -> pa.Table:
    sent = day.messages.take(day.answers.delivered)
    names = np.asarray([channel.name for channel in market.business.channels], dtype=object)
    return canonical(
        "touch",
        {
            "touch_id": _numbered("T", day, sent.customer),
            "customer_id": texts(customer_ids(sent.customer)),
            "campaign": np.full(len(sent), CAMPAIGN, dtype=object),
            "offer_id": _offer_ids(market, sent),
            "channel": names[sent.channel],
            "occurred_at": _instants(day, np.minimum(sent.hour * 3_600, 86_399).astype(np.int64)),
            "cost": day.answers.cost[day.answers.delivered] / 100,
        },
    )


def _outcomes(market: Marketplace, day: Day) -> pa.Table:
    """Delivered, seen (as `opened`), clicked, unsubscribed, and purchases with a message's discount (as `redeemed`)."""
    answers, who = day.answers, day.messages.customer
    kinds = (
        ("delivered", answers.delivered, np.minimum(day.messages.hour * 3_600, 86_399).astype(np.int64)),
        ("opened", answers.seen, answers.second),
        ("clicked", answers.clicked, answers.second),
        ("unsubscribed", answers.unsubscribed, answers.second),
    )
    through = day.purchases.message >= 0
    kind = [np.full(int(there.sum()), name, dtype=object) for name, there, _ in kinds]
    whose = [who[there] for _, there, _ in kinds] + [day.purchases.customer[through]]
    second = [when[there] for _, there, when in kinds] + [day.purchases.second[through]]
    value = [np.full(len(each), np.nan) for each in kind] + [day.purchases.earned[through] / 100]
    kind.append(np.full(int(through.sum()), "redeemed", dtype=object))
    names, customers = np.concatenate(kind), np.concatenate(whose)
    touch = _numbered("T", day, customers)
    return canonical(
        "outcome",
        {
            "outcome_id": np.asarray([f"{each}-{name}" for each, name in zip(touch, names, strict=True)], dtype=object),
            "touch_id": touch,
            "customer_id": texts(customer_ids(customers)),
            "kind": names,
            "occurred_at": _instants(day, np.concatenate(second)),
            "value": np.concatenate(value),
        },
    )
