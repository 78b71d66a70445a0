"""Messages dealt by lot in a simulated market, so that what is written of it holds a real experiment."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as arrow_parquet

from aimwell.core.errors import BadQuestion
from aimwell.simulation.app.draws import uniform, whole
from aimwell.simulation.chance import Booleans, Floats, Instants, Integers, Texts
from aimwell.simulation.records import canonical, utc
from aimwell.simulation.regimes.day import Day
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.messages import Messages
from aimwell.simulation.regimes.people import customer_ids
from aimwell.simulation.regimes.posts import ADDRESSES, address
from aimwell.simulation.regimes.shelf import OFFSET
from aimwell.simulation.regimes.tables import day_tables, texts, write_run

EVERY = 7
LOOKED_DAYS = 14
LOOKS = 3
HOURS = (9.0, 12.5, 20.0)
DEPTHS = (0.0, 0.1)
CHANNELS = 2


class Lot:
    """Who takes an interest is dealt a message, or nothing, every week; each probability is known and written down.

    Taking part: whoever looked at products at least three times in the 14 days before, may be sent to on every channel
    of the lot (the last two of the business) and has not unsubscribed. Of these a `share` gets a message: the line by
    the looks at it, the product among those of the line on sale and within the customer's risk level, channel, hour
    (9:00, 12:30, 20:00) and depth (0 or 10 %) evenly. All draws are by seed, day and customer.
    """

    def __init__(self, market: Marketplace, share: float) -> None:
        if not 0 < share < 1:
            raise BadQuestion(
                "A lot needs people who get a message and people who do not",
                expected="a share above 0 and below 1",
                seen=f"{share:g}",
            )
        self.share = share
        self.channels = np.arange(len(market.business.channels))[-CHANNELS:]
        self._seed = market.nature.seed
        self._looks: deque[Integers] = deque(maxlen=LOOKED_DAYS)
        self._chances: Floats = np.empty(0)

    def choose(self, market: Marketplace) -> Messages:
        """The messages of today: none but every seventh day, from the day on which 14 days of looks are known."""
        self._chances = np.empty(0)
        if market.day % EVERY or len(self._looks) < LOOKED_DAYS:
            return Messages.none()
        who = np.flatnonzero(self.taking(market))
        who = who[self._draw("who", market.day, who) < self.share]
        looks = self._looked(market)[who]
        bounds = np.cumsum(looks, axis=1)
        drawn = self._draw("line", market.day, who) * bounds[:, -1]
        line = (drawn[:, None] >= bounds).sum(axis=1)
        product, among = self._products(market, who, line)
        channel = self.channels[whole(self._draw("channel", market.day, who), len(self.channels))]
        hour = np.asarray(HOURS)[whole(self._draw("hour", market.day, who), len(HOURS))]
        depth = np.asarray(DEPTHS)[whole(self._draw("depth", market.day, who), len(DEPTHS))]
        same = self.share / (len(self.channels) * len(HOURS) * len(DEPTHS))
        self._chances = same * looks[np.arange(len(who)), line] / bounds[:, -1] / among
        return Messages.of(who, product, channel, hour, depth)

    def taking(self, market: Marketplace) -> Booleans:
        """[present]: who takes part in a lot of today, message or not."""
        every = np.stack([market.sendable(int(channel)) for channel in self.channels])
        sendable: Booleans = np.logical_and.reduce(every, axis=0)
        return np.asarray(sendable & (self._looked(market).sum(axis=1) >= LOOKS))

    def tables(self, market: Marketplace, day: Day) -> dict[str, pa.Table]:
        """A day as canonical tables; the touches of a lot name their campaign, line and probability."""
        self._remember(market, day)
        found = day_tables(market, day)
        delivered = day.answers.delivered
        if not delivered.any():
            return found | {"touch": _labelled(found["touch"], "", np.empty(0, dtype=object), np.empty(0))}
        lines = np.asarray([line.name for line in market.business.lines], dtype=object)
        line = lines[market.shelf.line[day.messages.product[delivered]]]
        touches = _labelled(found["touch"], campaign_of(day.on), line, self._chances[delivered])
        return found | {"touch": touches}

    def _remember(self, market: Marketplace, day: Day) -> None:
        looks = np.zeros((len(market.people), len(market.business.lines)), dtype=np.int64)
        np.add.at(looks, (day.views.customer, market.shelf.line[day.views.product]), 1)
        self._looks.append(looks)

    def _looked(self, market: Marketplace) -> Integers:
        return np.asarray(np.sum(self._looks, axis=0)[: market.present], dtype=np.int64)

    def _products(self, market: Marketplace, who: Integers, line: Integers) -> tuple[Integers, Integers]:
        """A product for each, and among how many it was drawn; a line always sells one that is fit for everybody."""
        shelf = market.shelf
        fit = shelf.on_sale(market.day) & (shelf.line == line[:, None])
        fit &= shelf.risk <= market.people.risk[who][:, None]
        among = fit.sum(axis=1)
        place = whole(self._draw("product", market.day, who), 1_000_000) * among // 1_000_000
        return np.asarray((np.cumsum(fit, axis=1) <= place[:, None]).sum(axis=1)), among

    def _draw(self, purpose: str, day: int, who: Integers) -> Floats:
        return np.asarray(uniform(self._seed, f"lot/{purpose}", day, who))


def campaign_of(day: date) -> str:
    """The campaign of a day's lot.

    >>> campaign_of(date(2026, 1, 19))
    'lot_2026-01-19'
    """
    return f"lot_{day}"


def write_lots(folder: Path, market: Marketplace, days: int, share: float) -> Mapping[str, int]:
    """Play days with a lot a week and write them like `write_run`, with consents and addresses; rows by table.

    `data/consent.parquet` says of everybody on which channels they may be sent to, `data/identifier.parquet` their
    addresses, which belong to nobody.
    """
    lot = Lot(market, share)
    rows = dict(write_run(folder, market, days, lot.choose, lot.tables))
    came = np.arange(market.people.present(market.day - 1))
    label = arrow_parquet.read_schema(folder / "data" / "touch.parquet").metadata
    for name, table in (("consent", _consents(market, came)), ("identifier", _identifiers(market, came))):
        arrow_parquet.write_table(table.replace_schema_metadata(label), folder / "data" / f"{name}.parquet")
        rows[name] = table.num_rows
    return rows


def _labelled(touches: pa.Table, campaign: str, line: Texts, chance: Floats) -> pa.Table:
    """Touches with the campaign, the line as `creative_id`, and the probability of the message that was sent."""
    columns = {name: touches[name] for name in touches.column_names}
    columns["campaign"] = pa.array([campaign] * touches.num_rows, pa.string())
    columns["creative_id"] = pa.array(line, pa.string())
    columns["probability"] = pa.array(chance, pa.float64())
    return pa.table(columns)


def _consents(market: Marketplace, who: Integers) -> pa.Table:
    channels = market.business.channels
    columns = {f"consent_{each.name}": market.people.reached[who, place] for place, each in enumerate(channels)}
    return pa.table({"customer_id": customer_ids(who), "known_at": _came(market, who)} | columns)


def _identifiers(market: Marketplace, who: Integers) -> pa.Table:
    parts = []
    kinds = np.asarray([ADDRESSES[each.name] for each in market.business.channels])
    for kind in np.unique(kinds).tolist():
        there = who[market.people.reached[who][:, kinds == kind].any(axis=1)]
        columns = {
            "customer_id": texts(customer_ids(there)),
            "kind": np.full(len(there), kind, dtype=object),
            "value": np.asarray([address(kind, place) for place in there.tolist()], dtype=object),
            "first_seen": _came(market, there),
        }
        parts.append(canonical("identifier", columns))
    return pa.concat_tables(parts)


def _came(market: Marketplace, who: Integers) -> Instants:
    """Noon of the day on which each came, when the master data were already there."""
    arrived = np.datetime64(market.first_day) + market.people.arrival[who].astype("timedelta64[D]")
    return utc(arrived, np.full(len(who), 43_200), OFFSET)
