"""The examples of the page on tags are tags."""

from __future__ import annotations

import re
from pathlib import Path

from aimwell.insight.tags.own import own_tags
from aimwell.store.workspace import open_workspace

PAGE = Path(__file__).parents[3] / "docs" / "tags.md"


def test_every_example_of_the_page_is_a_tag(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    (tmp_path / "aimwell.toml").write_text('name = "t"\ncurrency = "USD"\ntimezone = "UTC"\n', encoding="utf-8")
    (tmp_path / "tags").mkdir()
    for number, block in enumerate(blocks):
        (tmp_path / "tags" / f"example_{number}.yaml").write_text(block, encoding="utf-8")
    assert set(own_tags(open_workspace(tmp_path)).definitions) == {
        "basket_change",
        "shopping_style",
        "taste_panel",
        "dear",
    }
