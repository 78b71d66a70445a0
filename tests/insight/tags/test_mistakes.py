"""Mistakes in tags are told all at once, with file and line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.core.errors import BadDefinition, Refused
from aimwell.core.problems import Problem
from aimwell.insight.tags.formula import columns_of, parse_formula
from aimwell.insight.tags.own import own_tags
from aimwell.store.workspace import open_workspace

SETTINGS = 'name = "test"\ncurrency = "CNY"\ntimezone = "Asia/Shanghai"\n'
WORDS = "label: {zh: 甲, en: A}\nmeaning: {zh: 甲, en: A}\nfamily: basic\n"


def problems_of(folder: Path, **files: str) -> list[Problem]:
    (folder / "aimwell.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "tags").mkdir()
    for name, text in files.items():
        (folder / "tags" / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadDefinition) as raised:
        own_tags(open_workspace(folder))
    return list(raised.value.problems)


def told(problems: list[Problem]) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in problems]


def test_five_mistakes_in_one_definition_are_all_told_with_their_lines(tmp_path: Path) -> None:
    text = """\
label: {zh: 甲}
meaning: {zh: 甲, en: A}
family: basics
formula: sum(spend_84d)
otherwise: none
manual: {ids: [a], since: 2025-02-01, until: 2025-01-01}
colour: red
"""
    found = problems_of(tmp_path, mine=text)
    lines = {problem.line for problem in found}
    assert {1, 3, 4, 5, 6, 7} <= lines
    assert all(problem.file == "tags/mine.yaml" for problem in found)
    said = "\n".join(str(problem) for problem in found)
    for word in ("label.en", "family", "looks at many rows", "otherwise belongs to tiers", "owner", "colour"):
        assert word in said


def test_unknown_features_are_told_with_similar_names(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, mine=f"{WORDS}formula: ratio(spend_84, visits_84d)\n")
    assert problem.line == 4
    assert "there is no tag 'spend_84'" in problem.message
    assert "spend_84d" in problem.remedy


def test_unknown_tags_in_tiers_are_told_at_their_tier(tmp_path: Path) -> None:
    text = f"""{WORDS}tiers:
  - when: {{tag: spend_84d, above: 5}}
    then: a
  - when:
      any:
        - {{tag: spent_84d, above: 5}}
    then: b
"""
    [problem] = problems_of(tmp_path, mine=text)
    assert (problem.line, problem.path) == (9, "tiers.1.when.any.0")


def test_a_circle_is_told_once_with_its_way(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        first=f"{WORDS}formula: second + 1\n",
        second=f"{WORDS}rule: {{tag: third, above: 1}}\n",
        third=f"{WORDS}formula: first * 2\n",
    )
    assert told(found) == [(1, "tags are made from each other in a circle: first → second → third → first")]


def test_a_tag_made_from_itself_is_a_circle(tmp_path: Path) -> None:
    assert "circle: mine → mine" in problems_of(tmp_path, mine=f"{WORDS}formula: mine + 1\n")[0].message


def test_a_name_that_a_family_has_is_taken(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, spend_84d=f"{WORDS}formula: visits_84d + 1\n")
    assert "already a tag" in problem.message


def test_a_name_given_twice_is_told(tmp_path: Path) -> None:
    one = f"name: mine\n{WORDS}formula: visits_84d + 1\n"
    [problem] = problems_of(tmp_path, one=one, two=one)
    assert (problem.file, problem.line) == ("tags/two.yaml", 1)


def test_scores_and_segments_are_refused_in_tags(tmp_path: Path) -> None:
    text = f"{WORDS}rule:\n  any:\n    - {{score: churn, top: 10%}}\n    - {{segment: vips}}\n"
    found = problems_of(tmp_path, mine=text)
    assert [problem.line for problem in found] == [6, 7]
    assert all("made from tags" in problem.message for problem in found)


def test_a_comparison_that_does_not_fit_the_tag_is_told(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, mine=f"{WORDS}rule: {{tag: value_tier, above: 3}}\n")
    assert problem.line == 4
    assert "has no order" in problem.message


def test_a_mistake_in_one_file_does_not_hide_or_cause_others(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path, broken=f"{WORDS}formula: 1 +\n", user=f"{WORDS}formula: broken + nothing\n", syntax="a: [1\n"
    )
    assert {problem.file for problem in found} == {"tags/broken.yaml", "tags/user.yaml", "tags/syntax.yaml"}
    assert [problem.message for problem in found if problem.file == "tags/user.yaml"] == ["there is no tag 'nothing'"]


def test_rows_of_a_list_are_told_with_their_lines_and_a_missing_file_at_the_tag(tmp_path: Path) -> None:
    (tmp_path / "vips.csv").write_text("id,since\nann,2025-01-01\n,2025-01-01\nbob,soon\n", encoding="utf-8")
    listed = "manual: {{file: {}, since: 2025-01-01, until: 2026-01-01, owner: anna}}\n"
    found = problems_of(tmp_path, one=WORDS + listed.format("vips.csv"), two=WORDS + listed.format("none.csv"))
    assert [(problem.file, problem.line) for problem in found] == [
        ("tags/two.yaml", 4),
        ("vips.csv", 3),
        ("vips.csv", 4),
    ]


def test_tags_of_products_take_no_rules_and_read_columns_of_the_product(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        one=f"{WORDS}of: product\nrule: {{tag: spend_84d, above: 1}}\n",
        two=f"{WORDS}of: product\nkind: boolean\nformula: prize > 10\n",
    )
    assert "tags of a product are given by formula or manual" in found[0].message
    assert found[1].message == "there is no column of the product table 'prize'"
    assert "price" in found[1].remedy


@pytest.mark.parametrize(
    "written",
    [
        "now()",
        "random()",
        "(SELECT 1)",
        "sum(spend_84d)",
        "mean(spend_84d)",
        "row_number() OVER (ORDER BY spend_84d)",
        "spend_84d / visits_84d",
        "customer.city",
        "read_csv('x')",
        "a, b",
        "a FROM purchase",
        "*",
        "a AS b",
        "a; DROP TABLE b",
        "",
    ],
)
def test_a_formula_is_one_value_of_one_customer(written: str) -> None:
    with pytest.raises(Refused):
        parse_formula(written)


def test_a_formula_names_what_it_reads_once() -> None:
    assert columns_of(parse_formula("ratio(b, a) + b")) == ["b", "a"]
