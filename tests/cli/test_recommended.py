"""What a run recommends is learnt once: unchanged data and definition are read again, a change is learnt anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from aimwell.cli import recommended as tested
from aimwell.cli.recommended import in_report, recommended
from aimwell.cli.strategies import strategies_of
from aimwell.core.errors import BadQuestion
from aimwell.insight.opening import open_workshop
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.workspace import Workspace, open_workspace
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.evaluation import evaluate
from aimwell.strategy.recommenders.making import recommend
from aimwell.strategy.recommenders.models import read_card

NOW = datetime(2025, 4, 1, tzinfo=UTC)
_SOURCE = """\
read: {path: orders.csv}
tables:
  - table: purchase
    columns: {order_id: order, customer_id: customer, product_id: item, occurred_at: day, amount: amount}
"""
_RECOMMENDER = """\
label: {zh: 下次购买, en: Next visit}
candidates: {generators: [own, popular]}
learn: {days: 2, trees: {rounds: 5, learning_rate: 0.1, leaves: 4, depth: -1, min_rows: 5, bags: 1}}
"""
_DECISION = """\
label: {zh: 无分可用, en: Without scores}
audience: {purchases: {}}
treatments: {call: {channel: phone, cost: 1, gain: {prediction: nothing_scored}}}
"""
_SETTINGS = '[settings]\nreport_recommenders = "next"\n'


@pytest.fixture
def workspace(shop: Path) -> Workspace:
    """A shop of 30 customers, each of whom buys his own product and another one now and then."""
    chance, begin = Random(5), date(2025, 1, 1)
    lines = ["order,customer,item,day,amount"]
    for number in range(900):
        customer, day = chance.randrange(30), begin + timedelta(days=chance.randrange(90))
        item = customer % 6 if chance.random() < 0.7 else chance.randrange(12)
        lines.append(f"{number},c{customer},p{item},{day},5")
    (shop / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = (shop / "aimwell.toml").read_text("utf-8")
    (shop / "aimwell.toml").write_text(settings.replace("[settings]\n", _SETTINGS), encoding="utf-8")
    for name, text in (
        ("sources/orders.yaml", _SOURCE),
        ("recommenders/next.yaml", _RECOMMENDER),
        ("decisions/unscored.yaml", _DECISION),
    ):
        (shop / name).parent.mkdir(exist_ok=True)
        (shop / name).write_text(text, encoding="utf-8")
    return open_workspace(shop)


@pytest.fixture
def workshop(workspace: Workspace) -> Iterator[Workshop]:
    from aimwell.worker.job import load_sources

    with workspace.warehouse() as warehouse:
        load_sources(workspace, warehouse)
    with open_workshop(workspace) as opened:
        yield opened


def _count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is judged from now on."""
    judged: list[str] = []

    def counted(definition: Recommender, workshop: Workshop, as_of: datetime, **words: object) -> object:
        judged.append(definition.name)
        return evaluate(definition, workshop, as_of)

    monkeypatch.setattr(tested, "evaluate", counted)
    return judged


def test_equal_data_and_definition_are_learnt_once_and_a_change_or_a_damaged_file_anew(
    workspace: Workspace, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = _count(monkeypatch)
    definition = in_report(workspace)["next"]
    first = recommended(workspace, workshop, definition, NOW)
    assert first.made.people == 30
    assert len(first.judged.days) == 10
    again = recommended(workspace, workshop, definition, NOW)
    assert (again.made, again.judged) == (first.made, first.judged)
    assert judged == ["next"]
    kept = workspace.folder / "recommended" / "next.json"
    kept.write_text(json.dumps({"mark": json.loads(kept.read_text("utf-8"))["mark"], "made": 3}), encoding="utf-8")
    read = recommended(workspace, workshop, definition, NOW).made
    assert read == replace(first.made, learnt=False)  # the booster itself was not damaged
    shorter = recommended(workspace, workshop, definition.model_copy(update={"list_size": 3}), NOW).made
    assert (shorter.version, shorter.learnt) == (first.made.version, False)
    assert judged == ["next"] * 3


def test_a_kept_booster_has_a_card_and_serves_until_data_or_definition_change(
    workspace: Workspace, workshop: Workshop
) -> None:
    definition = in_report(workspace)["next"]
    first = recommended(workspace, workshop, definition, NOW)
    card = read_card(workshop.folder, "next", first.made.version)
    assert card is not None
    assert card.days == ("2025-03-30", "2025-03-31")
    assert 0 < card.bought < card.pairs
    assert card.generators == ("own", "popular")
    assert card.judged == first.judged
    page = (workshop.folder / "models" / "recommender.next" / card.version / "card.en.md").read_text("utf-8")
    assert "own frequency" in page
    again = recommend(definition, workshop, NOW, show=30)
    assert (again.version, again.learnt) == (card.version, False)
    other = definition.model_copy(update={"learn": definition.learn.model_copy(update={"others": 2})})
    anew = [
        recommend(other, workshop, NOW),
        recommend(definition, workshop, NOW - timedelta(days=1)),
        recommend(definition, workshop, NOW, seed=1),
        recommend(definition, replace(workshop, version="other data"), NOW),
    ]
    assert all(made.learnt for made in anew)
    assert len({made.version for made in anew} | {card.version}) == 5
    place = workshop.folder / "models" / "recommender.next" / card.version
    lists = [(each.customer_id, each.item, each.probability) for each in again.shown]
    (place / "trees_0.txt").write_text("broken", encoding="utf-8")
    mended = recommend(definition, workshop, NOW, show=30)
    assert mended.learnt
    assert [(each.customer_id, each.item, each.probability) for each in mended.shown] == lists


def test_a_setting_that_names_no_recommender_is_refused_with_a_similar_name(workspace: Workspace) -> None:
    file = workspace.folder / "aimwell.toml"
    file.write_text(file.read_text("utf-8").replace('"next"', '"next nxt"'), encoding="utf-8")
    with pytest.raises(BadQuestion, match="names 'nxt', but there is no such recommender") as refused:
        in_report(open_workspace(workspace.folder))
    assert "'next'" in str(refused.value)


def test_a_run_recommends_what_the_setting_names_and_tells_what_failed(
    workspace: Workspace, workshop: Workshop
) -> None:
    found = strategies_of(workspace, workshop, NOW)
    assert list(found.lists) == ["next"]
    assert not found.plans
    assert "no scores of 'nothing_scored'" in found.failures["unscored"]
    assert found.titles["unscored"].en == "Without scores"
