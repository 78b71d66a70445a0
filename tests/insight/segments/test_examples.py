"""The segments that are shipped: they read well in both languages and speak of nothing that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.core.definitions import read_definitions
from aimwell.core.rules import TagIs, leaves, predictions_of, tags_of
from aimwell.core.text import Language
from aimwell.insight.features.library import library
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.rules.words import sentence
from aimwell.insight.segments.definition import SEGMENT_KINDS, Segment
from aimwell.insight.segments.order import in_order

EXAMPLES = Path(__file__).parents[3] / "examples"
SEGMENTS = {place: read_definitions(EXAMPLES / place, Segment) for place in ("complete_journey", "shop")}
EVERY = [(place, name) for place, segments in SEGMENTS.items() for name in segments]


def test_each_of_the_five_kinds_has_an_example() -> None:
    shipped = {segment.kind for segments in SEGMENTS.values() for segment in segments.values()}
    assert shipped == set(SEGMENT_KINDS)


@pytest.mark.parametrize("place", SEGMENTS)
def test_shipped_segments_can_be_put_in_order(place: str) -> None:
    assert sorted(in_order(SEGMENTS[place])) == sorted(SEGMENTS[place])


@pytest.mark.parametrize(("place", "name"), EVERY)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_shipped_segment_is_labelled_and_can_be_said(place: str, name: str, language: Language) -> None:
    segment = SEGMENTS[place][name]
    names = {each: other.title for each, other in SEGMENTS[place].items()}
    assert segment.label is not None
    assert segment.owner
    assert len(sentence(segment.rule, language, library(), segments=names)) > 10


@pytest.mark.parametrize(("place", "name"), EVERY)
def test_a_shipped_segment_speaks_of_tags_and_predictions_that_exist(place: str, name: str) -> None:
    rule = SEGMENTS[place][name].rule
    known = read_definitions(EXAMPLES / place, Prediction)
    assert set(predictions_of(rule)) <= set(known)
    for _, leaf in leaves(rule):
        if isinstance(leaf, TagIs):
            words = library().column(leaf.tag).words
            assert not words or set(map(str, leaf.in_ or [leaf.is_])) <= set(words)


@pytest.mark.parametrize(("place", "name"), EVERY)
def test_what_is_inferred_says_so_in_both_languages(place: str, name: str) -> None:
    segment = SEGMENTS[place][name]
    inferred = [tag for tag in tags_of(segment.rule) if library().column(tag).inferred]
    if inferred or name == "thrifty":
        assert segment.description is not None
        assert "推断" in segment.title.zh + segment.description.zh
        assert "nferred" in segment.title.en + segment.description.en
