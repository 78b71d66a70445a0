"""Complete Journey by the bank's protocol: households × categories and × product types, the last ten days.

Run: `python bench/complete_journey_recommend.py [WORKSPACE [RECOMMENDER …]]` (about three CPU minutes for each; without
a workspace one is made in a temporary folder). For each of the last ten days with buyers the recommender learns from
what was known when the day began and ranks for its buyers. Beside it: popularity, own frequency, and the expert rule.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aimwell
from aimwell.cli.examples import example_folder
from aimwell.insight.opening import as_of_instant, workshop_of
from aimwell.store.sources.load import load
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.evaluation import Evaluation, evaluate
from aimwell.strategy.recommenders.judging import Slice

BANK = {
    "all": (0.89, 0.45, 0.78),
    "new_line": (0.80, 0.73, 0.32),
    "repeat": (0.92, 0.38, 0.88),
}
"""The bank's published AUC, log loss and MRR: everybody, new customers, existing ones."""
DIFFERENCE = """\
The bank: wealth products, few on sale at a time, one customer buys one or two, pairs sampled in an unstated share (a
log loss of .45 means that about one pair in six was bought). Here: groceries, hundreds on sale, ten bought at a visit,
all pairs counted, a few in a hundred bought. So the log losses cannot be compared at all, and AUC and MRR only
roughly. "New" is here a known household that never bought from the department (or category) of the item."""


def main(folder: Path | None, names: Sequence[str]) -> None:
    """Judge the shipped recommenders and print their figures."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "complete_journey"
        if folder is None:
            shutil.copytree(example_folder("complete_journey"), place)
        workspace = aimwell.open(place)
        definitions = workspace.definitions(Recommender)
        with workspace.warehouse() as warehouse:
            if folder is None:
                load(workspace, warehouse)
            workshop = workshop_of(workspace, warehouse)
            now = as_of_instant(workspace, warehouse, None)
            for name in names or definitions:
                begin = time.process_time()
                result = evaluate(definitions[name], workshop, now)
                show(result, time.process_time() - begin)
    print(DIFFERENCE)


def show(result: Evaluation, seconds: float) -> None:
    """Print every slice, way by way, and the bank's table beside ours."""
    print(f"\n{result.recommender}: {result.days[0]} to {result.days[-1]} without {', '.join(result.silent) or 'none'}")
    print(f"  {result.lists:,} lists of {result.customers:,} households, {result.learnt:,} pairs learnt from at last")
    print(
        f"  proposed {result.proposed:.1%}, coverage {result.coverage:.1%}, lines {result.lines}, {seconds:.0f} CPU s"
    )
    for each in result.slices:
        _show_slice(each)
    print("  the bank's table beside ours (AUC, log loss, MRR)")
    print("    demand    bank AUC 0.930, precision 0.90, recall 0.84; one product's question, asked of no grocery")
    for name, published in BANK.items():
        ours = result.slice(name).way("model").figures
        mine = ", ".join(f"{ours[figure].value:.3f}" for figure in ("auc", "log_loss", "reciprocal_rank"))
        print(f"    {name:9} bank {', '.join(f'{figure:.2f}' for figure in published)}   ours {mine}")


def _show_slice(each: Slice) -> None:
    print(f"  {each.label.en}: {each.bought:,} of {each.choices:,} pairs bought, {each.lists:,} lists")
    for way in each.ways:
        figures = "  ".join(f"{name} {figure}" for name, figure in way.figures.items())
        print(f"    {way.name:10} {figures}")
        if way.ahead:
            print(f"      model ahead  {'  '.join(f'{name} {figure}' for name, figure in way.ahead.items())}")
        tops = "  ".join(
            f"top {top.n}: {top.confusion.hits} hit {top.confusion.misfires} misfired {top.confusion.missed} missed"
            for top in way.top
        )
        print(f"      {tops}")
    factors = {n: each.factor(n) for n in (1, 5, 10)}
    told = ", ".join(f"top {n}: {factor:.2f}" for n, factor in factors.items() if factor is not None)
    print(f"    bought as often as what the expert rule shows (same buyers, same number of places), times: {told}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:])
