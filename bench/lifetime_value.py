"""Purchase models: published parameters, speed, odd books, and CDNOW's 23,570 customers 39 weeks ahead.

    python bench/lifetime_value.py

CDNOW ships inside the development dependency `lifetimes`. Protocol of the forecast: purchases of one day are one; what
is known ends on 30 September 1997 (39 weeks), the holdout is the following 39 weeks, nobody learns from it. The
correction learns 13 weeks ahead from three earlier moments; the same is done at four earlier moments of the known time,
which is where its form was chosen. Capture: share of the holdout's revenue that the tenth with the highest forecast
brings; its interval resamples customers (seed 0). Seconds are of the processor, on one thread.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import astuple
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.science.btyd.bg_nbd import fit_bg_nbd
from aimwell.science.btyd.gamma_gamma import fit_gamma_gamma
from aimwell.science.btyd.histories import Columns, Histories, group
from aimwell.science.btyd.intervals import FittedModel, foresee, parameter_spread
from aimwell.science.btyd.learnt import Foretold, foretell_value
from aimwell.science.btyd.mbg_nbd import fit_mbg_nbd
from aimwell.science.btyd.pareto_nbd import fit_pareto_nbd
from aimwell.science.btyd.posterior import Prior
from aimwell.science.btyd.purchases import Purchases, look_back, merge_purchases

Fit = Callable[[Histories], FittedModel]
FITS: dict[str, Fit] = {"BG/NBD": fit_bg_nbd, "MBG/NBD": fit_mbg_nbd, "Pareto/NBD": fit_pareto_nbd}
NOW, HORIZON = 272.0, 273.0
EARLIER = ((136.0, 136.0), (160.0, 112.0), (181.0, 91.0), (200.0, 72.0))


def main() -> None:
    """Print every figure."""
    published()
    speed()
    odd_books()
    bought = read_cdnow("CDNOW_master.txt")
    forecasts(bought)
    ranges(bought)


def read_cdnow(name: str) -> Purchases:
    """The purchases of a file of CDNOW, in days from 1 January 1997 and dollars."""
    found = find_spec("lifetimes")
    assert found is not None, "uv pip install lifetimes==0.11.3"
    assert found.submodule_search_locations
    lines = (Path(found.submodule_search_locations[0]) / "datasets" / name).read_text().splitlines()
    rows = [line.split() for line in lines if line.split()[0].isdigit()]
    start = date(1997, 1, 1).toordinal()
    days = {day: date.fromisoformat(day).toordinal() - start for day in {row[-3] for row in rows}}
    who = np.array([int(row[-4]) for row in rows])
    return merge_purchases(who, [days[row[-3]] for row in rows], [float(row[-1]) for row in rows])


def published() -> None:
    """The sample of 2,357 customers, without a prior, beside the papers."""
    seen = look_back(read_cdnow("CDNOW_sample.txt"), NOW, 91)
    x, t_x, age = seen.histories
    histories = group(x, t_x / 7, age / 7)
    bg, pareto = fit_bg_nbd(histories, prior=0.0), fit_pareto_nbd(histories, prior=0.0)
    print("published parameters, CDNOW sample (weeks, no prior): ours | printed")
    print(
        f"  BG/NBD     {rounded(astuple(bg), 3)} LL {bg.log_likelihood(histories):.1f} | .243 4.414 .793 2.426 -9582.4"
    )
    print(
        f"  Pareto/NBD {rounded(astuple(pareto), 3)} LL {pareto.log_likelihood(histories):.1f}"
        " | .553 10.578 .606 11.669 -9595.0"
    )
    some = x > 0
    repeats = (seen.spend - seen.first)[some] / x[some]
    print(f"  Gamma-Gamma {rounded(astuple(fit_gamma_gamma(x[some], repeats, prior=0.0)), 2)} | 6.25 3.74 15.44")


def speed() -> None:
    """Seconds of fitting; the peer in the same run."""
    columns = million()
    begun = time.process_time()
    histories = group(*columns)
    grouped = time.process_time()
    fit_bg_nbd(histories)
    done = time.process_time()
    print(
        f"BG/NBD on {histories.customers:,.0f} simulated customers (seed 1): fit {done - grouped:.2f} s "
        f"from {histories.people.size:,} groups; grouping {grouped - begun:.2f} s"
    )
    seen = look_back(read_cdnow("CDNOW_master.txt"), NOW, 91)
    begun = time.process_time()
    fit_pareto_nbd(group(*seen.histories))
    ours = time.process_time() - begun
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        peer = import_module("lifetimes").ParetoNBDFitter()
        begun = time.process_time()
        peer.fit(*(np.array(column) / unit for column, unit in zip(seen.histories, (1, 7, 7), strict=True)))
    print(f"Pareto/NBD on CDNOW's {seen.count.size:,}: {ours:.2f} s; lifetimes {time.process_time() - begun:.2f} s")


def million(people: int = 1_000_000) -> Columns:
    """Frequency, recency and age in days of customers who live as BG/NBD says, won over half of 39 weeks."""
    generator = np.random.default_rng(1)
    rate, leaving = generator.gamma(0.243, 1 / 4.414, people), generator.beta(0.793, 2.426, people)
    age = generator.uniform(0.5, 1.0, people) * 39
    frequency, recency, now = (np.zeros(people) for _ in range(3))
    alive = np.ones(people, dtype=bool)
    while alive.any():
        now = now + generator.exponential(1 / np.maximum(rate, 1e-12))
        alive &= now < age
        frequency, recency = frequency + alive, np.where(alive, now, recency)
        alive &= generator.random(people) > leaving
    days = np.ceil(age * 7)
    return frequency, np.where(frequency > 0, np.clip(np.ceil(recency * 7), 1, days), 0.0), days


def odd_books(books: int = 1000) -> None:
    """Histories that no such customers would have: does every fit end at a stationary point with finite answers?"""
    failed = dict.fromkeys(FITS, 0)
    begun = time.process_time()
    for seed in range(books):
        histories = odd_book(np.random.default_rng(seed))
        for name, fit in FITS.items():
            failed[name] += not converges(fit(histories), histories)
    seconds = time.process_time() - begun
    told = ", ".join(f"{name} {count}" for name, count in failed.items())
    print(f"{books:,} random books (seeds 0 to {books - 1}), failures to converge: {told} ({seconds:.0f} s for all)")


def odd_book(generator: np.random.Generator) -> Histories:
    """1 to 1,000 customers with any frequency, recency and age."""
    people = int(generator.choice([1, 2, 3, 10, 100, 1000]))
    top = float(generator.choice([1, 2, 10, 300]))
    age = generator.integers(1, int(generator.choice([2, 30, 1000])) + 1, people).astype(float)
    x = np.floor(generator.random(people) ** generator.choice([1, 6]) * (top + 1))
    x[0] = max(x[0], 1)
    t_x = np.where(x > 0, np.maximum(np.ceil(age * generator.random(people) ** generator.choice([0.01, 1, 9])), 1), 0)
    return group(x, t_x, age)


def converges(model: FittedModel, histories: Histories) -> bool:
    """Whether the posterior is flat at the parameters (1e-4 per customer) and every expectation is a number from 0."""
    unit = float(histories.people @ histories.age / histories.customers)
    times = [1, 3] if hasattr(model, "beta") else [1]
    theta = np.log(np.array(astuple(model), dtype=float))
    theta[times] -= np.log(unit)
    centre = (0.0, 0.0, 0.0, 0.0 if len(times) == 2 else 1.0)
    slope = model.slopes(histories) + Prior(centre).log_density(theta)[1]
    expected = model.expected_purchases(unit, histories.frequency, histories.recency, histories.age)
    flat = np.abs(slope).max() / histories.customers < 1e-4
    return bool(flat and np.isfinite(expected).all() and (expected >= 0).all())


def forecasts(bought: Purchases) -> None:
    """CDNOW master: the purchase models alone, then the correction, on earlier moments and on the holdout."""
    seen = look_back(bought, NOW, 91)
    count, money = bought.ahead(seen.customers, NOW, NOW + HORIZON)
    paid = np.where(seen.mean > 0, seen.count, 0)
    value = fit_gamma_gamma(paid, seen.mean).expected_value(paid, seen.mean)
    print(f"CDNOW master, {count.size:,} customers, 39 weeks ahead: bias of purchases | revenue | MAE | RMSE | capture")
    for name, fit in FITS.items():
        expected = fit(group(*seen.histories)).expected_purchases(HORIZON, *seen.histories)
        tell(name, expected, expected * value, count, money)
    for seed in range(3):
        found = foretell_value(bought, NOW, HORIZON, seed=seed)
        tell(f"learnt, seed {seed}", found.purchases, found.revenue, count, money)
        if seed == 0:
            ahead(found, money)
    print(f"  oracle                                                              capture {capture(money, money):.3f}")
    print("the same at earlier moments of the known time (day, days ahead): learnt, model alone")
    for now, horizon in EARLIER:
        found = foretell_value(bought, now, horizon)
        count, money = bought.ahead(found.customers, now, now + horizon)
        tell(f"learnt {now:.0f}+{horizon:.0f}", found.purchases, found.revenue, count, money)
        tell(f"model  {now:.0f}+{horizon:.0f}", found.model_purchases, found.model_revenue, count, money)


def tell(name: str, purchases: FloatArray, revenue: FloatArray, count: FloatArray, money: FloatArray) -> None:
    """One row of the table."""
    off, root = purchases - count, float(np.sqrt(np.mean((purchases - count) ** 2)))
    bias, in_money = purchases.sum() / count.sum() - 1, revenue.sum() / money.sum() - 1
    print(
        f"  {name:16} purchases {bias:+.1%}  revenue {in_money:+.1%}"
        f"  MAE {np.abs(off).mean():.4f}  RMSE {root:.4f}  capture {capture(revenue, money):.3f}"
    )


def capture(score: FloatArray, money: FloatArray) -> float:
    """Share of the money that the tenth with the highest scores brings, ties by id."""
    top = np.argsort(-score, kind="stable")[: score.size // 10]
    return float(money[top].sum() / money.sum())


def ahead(found: Foretold, money: FloatArray) -> None:
    """The intervals of the capture, and of its difference to the model alone."""
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(500):
        rows = generator.integers(0, money.size, money.size)
        drawn.append([capture(score[rows], money[rows]) for score in (found.revenue, found.model_revenue)])
    learnt, alone = np.array(drawn).T
    low, high = np.quantile(learnt, [0.025, 0.975])
    less, more = np.quantile(learnt - alone, [0.025, 0.975])
    print(f"    capture 95 %: {low:.3f} to {high:.3f}; learnt less Pareto/NBD alone: {less:+.4f} to {more:+.4f}")


def ranges(bought: Purchases) -> None:
    """How many customers, and whether the total, fell into their 80 % ranges on the holdout."""
    seen = look_back(bought, NOW, 91)
    count, _ = bought.ahead(seen.customers, NOW, NOW + HORIZON)
    histories = group(*seen.histories)
    model = fit_pareto_nbd(histories)
    begun = time.process_time()
    found = foresee(model, seen.histories, HORIZON, parameter_spread(model, histories), draws=200, seed=0)
    inside = float(np.mean((count >= found.low) & (count <= found.high)))
    print(
        f"80 % ranges by Pareto/NBD, 200 futures (seed 0): {inside:.1%} of customers inside; total {count.sum():,.0f}, "
        f"range {found.total_low:,.0f} to {found.total_high:,.0f} ({time.process_time() - begun:.1f} s)"
    )


def rounded(values: tuple[object, ...], digits: int) -> str:
    """The numbers as papers print them."""
    return " ".join(f"{float(str(value)):.{digits}f}" for value in values)


if __name__ == "__main__":
    main()
