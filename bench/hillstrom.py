"""Who is changed by an e-mail: learners of effects on Hillstrom's mail experiment, and the automatic choice.

Run: `python bench/hillstrom.py FILE [SPLITS]` (FILE: the 64,000 rows of the MineThatData challenge as Parquet or CSV;
it is not shipped). Three questions, each against those who got no mail: women's mail on visits, men's mail on visits,
women's mail on purchases. For each, SPLITS (20) seeded random splits, 70 % to learn from and 30 % to judge by. No
setting is chosen on the judged part: learners have one setting for all (settled on simulated markets), the automatic
choice sees the 70 % alone.

Printed: the mean normalised Qini of each fixed learner, of the response ranking, of the mean of several learners and
of the automatic choice; and the automatic choice minus the fixed learner that was best on average, paired by split.
Splits overlap, so the plain standard error is too small: the first interval is that of the corrected resampled t-test
(Nadeau and Bengio, Machine Learning 52, 2003), the plain one stands behind it. `as stated` ranks nobody before another
where no difference was found.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from scipy.stats import t as student

from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.metrics.uplift import normalised_qini
from aimwell.science.uplift.choice import BLEND, choose
from aimwell.science.uplift.learner import learners
from aimwell.science.uplift.levels import crossed_levels
from aimwell.science.uplift.sample import Sample, sample_of
from aimwell.science.uplift.trees import GROWTH

QUESTIONS = (("Womens E-Mail", "visit"), ("Mens E-Mail", "visit"), ("Womens E-Mail", "conversion"))
NUMBERS = ("recency", "history", "mens", "womens", "newbie")
WORDS = ("history_segment", "zip_code", "channel")
LEARNT = 0.7


def main(path: Path, splits: int) -> None:
    """All questions, one after the other."""
    table = pa.csv.read_csv(path) if path.suffix == ".csv" else pa.parquet.read_table(path)
    for mail, outcome in QUESTIONS:
        started = time.process_time()
        sample = question(table, mail, outcome)
        figures: dict[str, list[float]] = {}
        chosen: Counter[str] = Counter()
        for split in range(splits):
            found, name, differs = judged(sample, split)
            chosen[f"{name}{'' if differs else ', no difference found'}"] += 1
            for key, value in found.items():
                figures.setdefault(key, []).append(value)
        show(f"{mail}, {outcome}", figures, chosen)
        print(f"  {time.process_time() - started:.0f} s of processor time", flush=True)


def question(table: pa.Table, mail: str, outcome: str) -> Sample:
    """One mail against none: both were drawn with the same probability."""
    arm = np.asarray(table.column("segment").to_pylist())
    rows = np.flatnonzero((arm == mail) | (arm == "No E-Mail"))
    columns = [np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in NUMBERS]
    columns += [np.unique(table.column(name).to_pylist(), return_inverse=True)[1].astype(np.float64) for name in WORDS]
    words = range(len(NUMBERS), len(NUMBERS) + len(WORDS))
    X, seen = np.column_stack(columns)[rows], np.asarray(table.column(outcome).to_numpy(), dtype=np.float64)[rows]
    return sample_of(X, arm[rows], seen, [0.5, 0.5], names=["No E-Mail", mail], words=tuple(words))


def judged(sample: Sample, split: int) -> tuple[dict[str, float], str, bool]:
    """Normalised Qini of everything on one split's judged part, what was chosen, and whether effects were said to
    differ.
    """
    order: IntArray = np.random.default_rng(split).permutation(len(sample)).astype(np.int64)
    cut = round(LEARNT * len(sample))
    learnt, rest = sample.take(order[:cut]), sample.take(order[cut:])
    levels = crossed_levels(learnt, GROWTH, split)
    models = {name: each.fit(learnt, levels, GROWTH, split) for name, each in learners().items()}
    foretold = {name: model.effects(rest.X)[:, 0] for name, model in models.items()}
    foretold[BLEND] = np.mean([foretold[name] for name, each in learners().items() if each.blended], axis=0)
    choice = choose(learnt, seed=split)
    foretold["automatic"] = choice.order(rest.X)[:, 0]
    foretold["as stated"] = choice.effects(rest.X)[:, 0]
    found = {name: normalised_qini(scores, rest.outcome, rest.arm == 1) for name, scores in foretold.items()}
    return found, choice.learner, choice.evidence[0].differs


def show(title: str, figures: dict[str, list[float]], chosen: Counter[str]) -> None:
    """Print means with their spread over splits, and the automatic choice beside the best fixed learner."""
    print(f"\n{title}: {len(figures['automatic'])} splits")
    for name, values in figures.items():
        print(f"  {name:10} {np.mean(values):+.4f}  (spread over splits {np.std(values):.4f})")
    fixed = [name for name, each in learners().items() if not each.baseline]
    best = max(fixed, key=lambda name: float(np.mean(figures[name])))
    for name in (best, "response"):
        gaps = np.array(figures["automatic"]) - np.array(figures[name])
        gap, (reach, plain) = float(gaps.mean()), reaches(gaps)
        bounds = f"({gap - reach:+.4f} to {gap + reach:+.4f}; plain {gap - plain:+.4f} to {gap + plain:+.4f})"
        print(f"  automatic minus {name}: {gap:+.4f} {bounds}")
    print("  chosen: " + "; ".join(f"{name} {count}" for name, count in chosen.most_common()))


def reaches(gaps: FloatArray) -> tuple[float, float]:
    """Half widths of the 95 % interval of the mean over overlapping splits: corrected, and plain."""
    quantile = float(student.ppf(0.975, gaps.size - 1))
    spread = quantile * float(gaps.std(ddof=1))
    return spread * float(np.sqrt(1 / gaps.size + (1 - LEARNT) / LEARNT)), spread / float(np.sqrt(gaps.size))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
