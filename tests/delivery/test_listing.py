"""`docs/channels.md` lists every kind of channel as it is."""

from __future__ import annotations

from pathlib import Path

from aimwell.delivery.catalogue import channel_kinds
from aimwell.delivery.listing import as_markdown

PAGE = Path(__file__).parents[2] / "docs" / "channels.md"


def test_the_page_of_channels_is_what_the_kinds_say() -> None:
    stale = "run: .venv/bin/python -m aimwell.delivery.listing docs/channels.md"
    assert PAGE.read_text(encoding="utf-8") == as_markdown(channel_kinds()), stale


def test_every_kind_and_setting_stands_on_the_page() -> None:
    page = as_markdown(channel_kinds())
    for name, kind in channel_kinds().items():
        assert f"| `{name}` |" in page
        assert all(f"| `{setting}` |" in page for setting in kind.settings.model_fields)
