"""The life of a model: put into use, replaced by what is not worse, rolled back, and never lost by a failure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlglot import exp

from aimwell.core.errors import BadInput, BadQuestion, NotEnoughData
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.life import TABLE, champion, due, life, promote, roll_back
from aimwell.insight.predictions.making import Trained, train
from aimwell.insight.predictions.models import load, read_card, versions
from aimwell.insight.predictions.workshop import Workshop

Defined = Callable[..., Prediction]


def days_before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


@pytest.fixture(scope="module")
def made(churn: Prediction, lasting: Workshop, now: datetime) -> Trained:
    """The first version, made ten weeks ago, in a shop that no test touches."""
    return train(churn, lasting, days_before(now, 70))


@pytest.fixture
def first(made: Trained, lasting: Workshop, workshop: Workshop) -> Trained:
    """The first version in this test's own shop."""
    shutil.copytree(lasting.folder / "models", workshop.folder / "models")
    workshop.warehouse.engine.write(TABLE, lasting.warehouse.engine.to_arrow(exp.select("*").from_(TABLE)))
    return made


def test_the_first_version_is_put_into_use_and_lies_on_disk_as_text(first: Trained, workshop: Workshop) -> None:
    assert champion(workshop, "churn") == first.version == first.in_use
    assert [event.action for event in life(workshop, "churn")] == ["trained", "promoted"]
    place = workshop.folder / "models" / "churn" / first.version
    assert {file.suffix for file in place.iterdir()} == {".txt", ".json", ".md"}
    assert read_card(workshop.folder, "churn", first.version)["prediction"] == "churn"


def test_a_version_read_back_gives_the_same_answers(
    first: Trained, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    again = train(churn, workshop, days_before(now, 70))
    assert again.version == first.version
    assert versions(workshop.folder, "churn") == [first.version]


def test_a_later_version_is_compared_on_later_time_and_takes_over_when_not_worse(
    first: Trained, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    second = train(churn, workshop, now)
    assert second.against is not None
    assert second.against.difference is not None
    worse = second.against.difference.high < 0
    assert second.in_use == (first.version if worse else second.version)
    assert life(workshop, "churn")[-1].action == ("kept" if worse else "promoted")
    assert json.loads(life(workshop, "churn")[-1].metrics)["name"] == "auc"


def test_a_definition_may_ask_for_better_than_that(
    first: Trained, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    strict = churn.model_copy(update={"promotion": "better"})
    second = train(strict, workshop, now)
    assert second.against is not None
    assert second.in_use == (second.version if second.against.proven else first.version)


def test_no_comparison_is_made_on_answers_that_the_one_in_use_has_learnt(
    first: Trained, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    second = train(churn, workshop, days_before(now, 56))
    assert second.against is None
    assert second.in_use == first.version
    assert "later time" in second.why.en
    assert life(workshop, "churn")[-1].action == "kept"


def test_a_failed_training_leaves_the_model_in_use_and_is_recorded(
    first: Trained, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    broken = churn.model_copy(update={"horizon_days": 3000})
    with pytest.raises(NotEnoughData):
        train(broken, workshop, now)
    last = life(workshop, "churn")[-1]
    assert (last.action, last.version) == ("failed", first.version)
    assert "no cut-off" in last.why
    assert champion(workshop, "churn") == first.version


def test_rolling_back_puts_the_one_before_into_use_and_nothing_is_erased(
    first: Trained, churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    second = train(churn, workshop, now)
    promote(workshop, "churn", second.version, at=now, why="we want it")
    event = roll_back(workshop, "churn", at=now, why="complaints")
    assert (event.action, event.version, event.why) == ("rolled_back", first.version, "complaints")
    assert champion(workshop, "churn") == first.version
    places = [event.place for event in life(workshop, "churn")]
    assert places == list(range(1, len(places) + 1))
    with pytest.raises(BadQuestion, match="no earlier version"):
        roll_back(workshop, "churn", at=now, why="again")


def test_only_what_lies_on_disk_can_be_promoted(first: Trained, workshop: Workshop, now: datetime) -> None:
    with pytest.raises(BadQuestion, match=first.version):
        promote(workshop, "churn", "20990101-abc", at=now, why="guess")


def test_a_prediction_is_due_when_it_never_was_or_when_its_time_has_come(
    churn: Prediction, workshop: Workshop, now: datetime
) -> None:
    assert due(churn, workshop, now).due
    train(churn, workshop, days_before(now, 70))
    answer = due(churn, workshop, days_before(now, 43))
    assert not answer.due
    assert answer.following == days_before(now, 42)
    assert due(churn, workshop, days_before(now, 42)).due


def test_damaged_files_are_named(first: Trained, workshop: Workshop) -> None:
    file = workshop.folder / "models" / "churn" / first.version / "model.json"
    file.write_text(file.read_text(encoding="utf-8")[:200], encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be read"):
        load(workshop.folder, "churn", first.version)
    with pytest.raises(BadQuestion, match="none yet"):
        load(Path(workshop.folder), "unheard_of", "1")
