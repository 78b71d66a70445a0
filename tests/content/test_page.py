"""`docs/content.md` names the tags and filters that there are, and its example is valid."""

from __future__ import annotations

import re
from pathlib import Path

from aimwell.content.definition import Content
from aimwell.content.sandbox import PLAIN, TAGS
from aimwell.core.definitions import parse_definitions

PAGE = (Path(__file__).parents[2] / "docs" / "content.md").read_text(encoding="utf-8")


def named(heading: str) -> set[str]:
    """The words of the paragraph that begins so."""
    (paragraph,) = re.findall(rf"^{heading}: (.+?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`(\S+?)`", paragraph))


def test_the_page_names_every_tag_and_filter() -> None:
    assert named("Tags") == set(TAGS)
    assert named("Filters") == set(PLAIN.filters)


def test_the_example_of_the_page_is_a_valid_content() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (content,) = parse_definitions(text, "welcome.yaml", Content, name="welcome")
    assert content.compiled["en"].names == {"name", "offer", "link"}
