"""The documents do not rot: their links lead somewhere, their commands and verbs exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from aimwell.cli.main import build

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def anchors(page: Path) -> set[str]:
    """The places of a page that a link can name, made from its headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_of(page: Path) -> str:
    """What a page shows as code, in blocks and within lines."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```.*?```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join([*blocks, *spans])


def commands_of(code: str) -> set[tuple[str, ...]]:
    """The words after `aimwell`, up to the first option, capital or placeholder."""
    found = re.findall(r"(?:^|[\s$/])aimwell((?: [a-z][a-z-]*)+)", code, re.MULTILINE)
    return {tuple(words.split()) for words in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_verb_that_a_page_names_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for verb in re.findall(r"(?:^|\s)make (?:\w+=\S+ )?([a-z]+)", code_of(page), re.MULTILINE):
        assert re.search(rf"^{verb}:", makefile, re.MULTILINE), f"make {verb}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    for words in commands_of(code_of(page)):
        level = get_command(build())
        for word in words:
            children = getattr(level, "commands", None)
            if children is None:  # the rest are arguments
                break
            assert word in children, f"aimwell {' '.join(words)}"
            level = children[word]
