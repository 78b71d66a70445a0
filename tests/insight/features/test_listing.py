"""`docs/features.md` lists every family and feature as they are."""

from __future__ import annotations

from pathlib import Path

from aimwell.insight.features.library import library
from aimwell.insight.features.listing import as_markdown

PAGE = Path(__file__).parents[3] / "docs" / "features.md"


def test_the_page_of_features_is_what_the_families_say() -> None:
    stale = "run: .venv/bin/python -m aimwell.insight.features.listing docs/features.md"
    assert PAGE.read_text(encoding="utf-8") == as_markdown(library()), stale


def test_every_family_column_and_threshold_stands_on_the_page() -> None:
    page = as_markdown(library())
    for family in library().families.values():
        assert f"`{family.name}`" in page
        for column in family.columns:
            assert f"| `{column.name}` |" in page
    assert all(f"| `{each.name}` | {each.default} |" in page for each in library().thresholds)
