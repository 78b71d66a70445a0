"""Segments of segments: the order in which they are built, and what is wrong with them, with file and line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.rules.market import AS_OF, HABITS, market

from aimwell.core.definitions import read_definitions
from aimwell.core.errors import BadDefinition
from aimwell.core.rules import parse_rule, segments_of
from aimwell.insight.features.build import Features
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.segments.definition import Segment
from aimwell.insight.segments.order import check_segments, in_order


def segment(name: str, rule: object) -> Segment:
    return Segment(name=name, kind="behavioural", rule=parse_rule(rule))


def of_others(name: str, *others: str) -> Segment:
    return segment(name, {"any": [{"manual": ["ann"]}, *({"segment": other} for other in others)]})


def test_what_others_speak_of_comes_first() -> None:
    given = {"a": of_others("a", "b", "c"), "b": of_others("b", "c"), "c": of_others("c"), "d": of_others("d", "made")}
    assert in_order(given) == ["c", "b", "a", "d"]
    assert in_order(given, only=["b"]) == ["c", "b"]


def test_segments_that_contain_each_other_are_named_in_a_circle() -> None:
    given = {"a": of_others("a", "b"), "b": of_others("b", "c"), "c": of_others("c", "b", "c")}
    with pytest.raises(BadDefinition) as caught:
        in_order(given)
    assert [problem.message for problem in caught.value.problems] == [
        "segments contain each other: b → c → b",
        "segments contain each other: c → c",
    ]


NAMES = ["a", "b", "c", "d", "e"]


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=2), min_size=1))
def test_either_there_is_a_circle_or_every_segment_follows_those_it_speaks_of(edges: dict[str, list[str]]) -> None:
    given = {name: of_others(name, *others) for name, others in edges.items()}
    try:
        found = in_order(given)
    except BadDefinition as bad:
        for problem in bad.problems:
            circle = problem.message.removeprefix("segments contain each other: ").split(" → ")
            assert circle[0] == circle[-1]
            assert all(after in edges[before] for before, after in pairwise(circle))
        return
    assert sorted(found) == sorted(given)
    for name in found:
        inner = [other for other in segments_of(given[name].rule) if other in given]
        assert all(found.index(other) < found.index(name) for other in inner)


MISTAKEN = """\
kind: demografic
owner: [growth]
rule:
  all:
    - attribute: city
      iz: york
    - purchases: {within: soon}
colour: red
"""

UNKNOWN = """\
- name: loyal
  kind: behavioural
  rule: {tag: linse, at_least: 3}
- name: circle_one
  kind: behavioural
  rule:
    any:
      - segment: circle_two
      - segment: loyl
- name: circle_two
  kind: value
  rule: {not: {segment: circle_one}}
"""


def test_five_mistakes_in_one_file_are_all_reported_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "city.yaml").write_text(MISTAKEN, encoding="utf-8")
    with pytest.raises(BadDefinition) as caught:
        read_definitions(tmp_path, Segment)
    found = sorted((problem.line, problem.path) for problem in caught.value.problems)
    assert found == [
        (1, "kind"),
        (2, "owner"),
        (6, "rule.all.0.iz"),
        (7, "rule.all.1.purchases.within"),
        (8, "colour"),
    ]


def test_unknown_names_and_circles_are_reported_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "all.yaml").write_text(UNKNOWN, encoding="utf-8")
    warehouse = market({"customer": [{"customer_id": "ann"}]})
    context = RuleContext(Features(warehouse.history(AS_OF), assemble([HABITS])))
    found = check_segments(tmp_path, read_definitions(tmp_path, Segment), context)
    assert [str(problem) for problem in found] == [
        "segments/all.yaml:3: rule: There is no tag 'linse' (Did you mean lines?)",
        "segments/all.yaml:8: rule.any.0: segments contain each other: circle_one → circle_two → circle_one "
        "(break the circle)",
        "segments/all.yaml:9: rule.any.1: There is no segment 'loyl' (did you mean loyal?)",
    ]
