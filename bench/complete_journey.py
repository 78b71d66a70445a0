"""Complete Journey, by the shipped definitions: every figure that the report claims, with its protocol.

Run: `python bench/complete_journey.py [WORKSPACE]` (about two minutes; without a workspace one is made in a temporary
folder). Prints one line per figure: what it is, ours with its 95 % interval, the peer's, the paired difference. Peers
are measured in the same run, except those named "published", which are the floors of an untuned booster.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import aimwell
from aimwell.cli.examples import example_folder
from aimwell.insight.opening import as_of_instant, workshop_of
from aimwell.insight.predictions import Backtest, Prediction, backtest
from aimwell.insight.predictions.evaluation import Metric
from aimwell.store.sources.load import load

PROTOCOL = {
    "churn": "active in the last 56 days, silent in the next 56, as of 1 Nov 2017; learnt and chosen before it",
    "next_28_days": "everybody who ever bought, spend of the next 28 days, as of 1 Nov 2017; chosen before it",
    "campaign_response": "mailed households of campaign 18 as of the evening before it; learnt on earlier campaigns",
}
PUBLISHED = {
    ("churn", "auc"): 0.861,
    ("next_28_days", "mae"): 74.99,
    ("next_28_days", "spearman"): 0.733,
    ("campaign_response", "share_for_80"): 0.377,
    ("campaign_response", "auc"): 0.845,
}


def main(folder: Path | None) -> None:
    """Judge the three predictions and print their figures."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "complete_journey"
        if folder is None:
            shutil.copytree(example_folder("complete_journey"), place)
        workspace = aimwell.open(place)
        definitions = workspace.definitions(Prediction)
        with workspace.warehouse() as warehouse:
            if folder is None:
                load(workspace, warehouse)
            workshop = workshop_of(workspace, warehouse)
            now: datetime = as_of_instant(workspace, warehouse, None)
            for name, protocol in PROTOCOL.items():
                print(f"\n{name}: {protocol}")
                show(backtest(definitions[name], workshop, now))


def show(result: Backtest) -> None:
    """Print the figures of one prediction beside each of its baselines."""
    whole = result.everybody
    print(f"  {whole.people:,} people, {whole.positives:,} positive, mean {whole.mean:.4g}")
    for evaluation in (whole, *result.others):
        for metric in evaluation.metrics:
            print(f"  {_line(result.prediction, metric)}")
    for finding in result.findings:
        print(f"  [{finding.severity}] {finding.text.en}")


def _line(prediction: str, metric: Metric) -> str:
    line = f"{metric.name:18} {metric.model}"
    if metric.baseline is not None:
        line += f"  beside {metric.against.en if metric.against else 'baseline'}: {metric.baseline.value:.4g}"
    if metric.difference is not None:
        line += f"  difference {metric.difference}"
    published = PUBLISHED.get((prediction, metric.name))
    return line + (f"  published {published}" if published else "")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
