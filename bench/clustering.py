"""Groups of Complete Journey households by the shipped clusterings: time, stability, and what they explain later.

Run: `python bench/clustering.py [WORKSPACE]` (about two minutes; without a workspace one is made in a temporary
folder). Each clustering is fitted as of three instants. Seconds are those of a fit with its table of numbers, its
repetitions, names, map and judgement; the features stand ready. Peers in the same run: as many k-means groups, and as
many RFM cells. `ways_of_shopping` got its features by looking at 1 August, `price_and_brand` too; the other two
instants were not looked at before.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import aimwell
from aimwell.cli.examples import example_folder
from aimwell.core.time import parse_instant
from aimwell.insight.clusterings import Clustering, ClusteringResult, propose
from aimwell.insight.clusterings.people import chosen_columns
from aimwell.insight.opening import as_of_instant, workshop_of
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.sources.load import load

INSTANTS = ("2017-08-01", "2017-10-01", None)
ALONE = {"method": ("kmeans",), "beside": (), "groups": 2}


def main(folder: Path | None) -> None:
    """Fit every clustering at every instant, keep nothing, and print what was found."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "complete_journey"
        if folder is None:
            shutil.copytree(example_folder("complete_journey"), place)
        workspace = aimwell.open(place)
        with workspace.warehouse() as warehouse:
            if folder is None:
                load(workspace, warehouse)
            workshop = workshop_of(workspace, warehouse)
            for definition in workspace.definitions(Clustering).values():
                for given in INSTANTS:
                    as_of = parse_instant(given, workspace.zone) if given else as_of_instant(workspace, warehouse, None)
                    measure(definition, workshop, as_of)


def measure(definition: Clustering, workshop: Workshop, as_of: datetime) -> None:
    """One fit: time, groups, stability beside that of k-means, and worth beside k-means and RFM."""
    features = workshop.features(as_of)
    chosen = [column.name for column in chosen_columns(definition, features).columns]
    families = {owner.name: owner for owner in map(features.library.owner, [*chosen, definition.value or chosen[0]])}
    features.prepare(families.values())
    wall, processor = time.perf_counter(), time.process_time()
    result = propose(definition, workshop, as_of).result
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"\n{definition.name} as of {as_of:%Y-%m-%d}: {result.people:,} households, {result.k} groups")
    print(f"  {wall:.1f} s ({processor:.1f} s of processor time)")
    alone = propose(definition.model_copy(update=ALONE | {"groups": result.k}), workshop, as_of).result
    for label, found in ((result.method_label.en, result), ("k-means", alone)):
        if found.stability:
            print(f"  stability of {label:10} {found.stability.agreement:.3f} ({found.stability.verdict})")
    show(result)


def show(result: ClusteringResult) -> None:
    """Print groups and worth."""
    for group in result.groups:
        print(f"  {group.id:4} {group.people:5,} {group.overlap or 0:.2f} {group.name.zh} | {group.name.en}")
    if result.worth is None:
        return
    print(f"  explained of what followed {result.worth.as_of[:10]}, out of sample:")
    for row in result.worth.rows:
        ahead = f"  ahead of RFM {row.ahead}" if row.ahead else ""
        print(f"  {row.outcome:14} {row.grouping:10} {row.r2}{ahead}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
