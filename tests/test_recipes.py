"""The recipes of CONTRIBUTING are run as they are printed: each is one new file, found without a list."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather
from sqlalchemy import select
from tests.store.warehouse.shop import AS_OF, small_shop
from tests.strategy.journeys import test_nodes as journey_nodes
from tests.strategy.recommenders.market import NOW, bank, recommender

from aimwell.core import registry
from aimwell.core.definitions import parse_definitions
from aimwell.delivery.catalogue import channel_kinds
from aimwell.delivery.channel import GROUP as CHANNELS
from aimwell.delivery.channel import Parcel
from aimwell.insight.features.build import Features
from aimwell.insight.features.library import GROUP as FAMILIES
from aimwell.insight.features.library import library
from aimwell.insight.predictions.definition import Prediction
from aimwell.science.cluster.method import method
from aimwell.store.ledger.ledger import open_ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.sources.reading import GROUP as READERS
from aimwell.store.sources.reading import readers
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.strategy.journeys import definition
from aimwell.strategy.journeys.kinds import GROUP as NODES
from aimwell.strategy.journeys.kinds import node_kinds
from aimwell.strategy.journeys.tick import Ticker
from aimwell.strategy.recommenders.generator import Scene, generators
from aimwell.strategy.recommenders.stand import stand_at

ROOT = Path(__file__).parent.parent
RECIPES = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL))


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of somebody else that holds every recipe and names each under the group of its kind."""
    package = tmp_path / "somebody"
    package.mkdir()
    points = {}
    groups = {
        "families": FAMILIES,
        "cluster": "aimwell.clusterings",
        "readers": READERS,
        "channels": CHANNELS,
        "nodes": NODES,
        "generators": "aimwell.generators",
    }
    for name, text in RECIPES.items():
        if name.endswith(".py"):
            (package / Path(name).name).write_text(text, encoding="utf-8")
            stem, group = Path(name).stem, groups[Path(name).parent.name]
            points[group] = [EntryPoint(stem, f"somebody.{stem}", group)]
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "entry_points", lambda group: points.get(group, []))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "somebody"]:
        del sys.modules[name]


def test_each_recipe_goes_into_a_folder_that_exists_as_a_file_that_does_not() -> None:
    assert {"families", "cluster", "readers", "predictions", "channels", "nodes", "generators"} <= {
        Path(name).parent.name for name in RECIPES
    }
    for name in RECIPES:
        if name.endswith(".py"):
            assert (ROOT / name).parent.is_dir()
            assert not (ROOT / name).exists()


@pytest.mark.usefixtures("third_party")
def test_the_recipe_of_a_feature_family_is_found_and_computed() -> None:
    found = library.__wrapped__()
    engine = DuckEngine()
    features = Features(small_shop(engine).history(AS_OF), found)
    engine.write("people", pa.table({"customer_id": ["ann", "bob", "cid"]}))
    built = features.to_arrow("people", ["products_ever_tried"])
    assert built.to_pydict() == {"customer_id": ["ann", "bob", "cid"], "products_ever_tried": [2, 1, 0]}


@pytest.mark.usefixtures("third_party")
def test_the_recipe_of_a_clustering_method_is_found_and_parts_customers() -> None:
    fitted = method("slices").fit(np.array([[0.0, 0], [1, 0], [2, 0], [50, 1], [51, 1], [52, 1]]), k=2)
    assert sorted(fitted.sizes.tolist()) == [3, 3]
    assert len(set(fitted.labels[:3].tolist())) == 1
    assert fitted.assign([[49.0, 1]]).tolist() == [fitted.labels[5]]


@pytest.mark.usefixtures("third_party")
def test_the_recipe_of_a_reader_is_found_and_reads(tmp_path: Path) -> None:
    feather.write_feather(pa.table({"id": [1, 2], "who": ["ann", None]}), str(tmp_path / "rows.feather"))
    reader = readers.__wrapped__()["feather"]
    read = reader.options.model_validate({"path": "*.feather", "format": "feather"})
    (piece,) = reader.pieces(read, tmp_path, None)
    assert [column.name for column in reader.columns(piece, read)] == ["id", "who"]
    rows = [row for batch in reader.batches(piece, read) for row in batch.rows.to_pylist()]
    assert rows == [{"id": 1, "who": "ann"}, {"id": 2, "who": None}]


@pytest.mark.usefixtures("third_party")
def test_the_recipe_of_a_generator_is_found_and_proposes(tmp_path: Path) -> None:
    found = generators.__wrapped__()["rising"]
    stand = stand_at(recommender(), bank(tmp_path).history(NOW))
    scene = Scene(stand.past, stand.shelf)
    assert found.ready(scene)
    scores = found.fit(scene).scores(np.arange(3)).toarray()
    recent, lately = (stand.past.by_item(stand.past.measures[name]) for name in ("orders_7", "orders_28"))
    rising = np.flatnonzero(scores[0])
    assert rising.size
    assert (recent[rising] / lately[rising] > 0.25).all()
    assert (scores == scores[0]).all()


@pytest.mark.usefixtures("third_party")
def test_the_recipe_of_a_channel_is_found_and_sends_each_key_once(tmp_path: Path) -> None:
    kind = channel_kinds.__wrapped__()["post"]
    channel = kind.open(kind.settings.model_validate({"closing": "Yours"}), tmp_path)
    one = Parcel("1:a:1:0", "c1", "Main Street 1", {"text": "Hello"})
    receipts = [channel.send([one, replace(one, key="2:a:1:0", parts={})]) for _ in range(2)]
    assert [[receipt.result for receipt in batch] for batch in receipts] == [["accepted", "refused"]] * 2
    assert [file.read_text("utf-8") for file in tmp_path.glob("*.txt")] == ["Main Street 1\n\nHello\nYours\n"]
    assert [receipt.result for receipt in channel.look_up(["1:a:1:0", "2:a:1:0"])] == ["accepted", "failed"]


@pytest.mark.usefixtures("third_party")
def test_the_recipe_of_a_journey_node_is_found_and_lets_a_share_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = node_kinds.__wrapped__()
    for module in (definition, journey_nodes):
        monkeypatch.setattr(module, "node_kinds", lambda: found)
    ledger = open_ledger(tmp_path / "ledger")
    journey_nodes.put_in(ledger, journey_nodes.journey_of(found["pace"]), 200)
    assert 15 < Ticker(ledger).tick(journey_nodes.NOW).ended < 70
    with journey_nodes.statements(ledger) as seen:
        Ticker(ledger).tick(journey_nodes.NOW + timedelta(days=1))
    assert seen
    with ledger.reading() as connection:
        assert set(connection.scalars(select(enrolment.c.state))) == {"finished"}
    ledger.close()


def test_the_recipe_of_a_prediction_is_a_valid_definition() -> None:
    (name,) = [name for name in RECIPES if name.endswith(".yaml")]
    (prediction,) = parse_definitions(RECIPES[name], name, Prediction, name=Path(name).stem)
    assert (prediction.name, prediction.kind, prediction.horizon_days) == ("silent", "happens", 56)
