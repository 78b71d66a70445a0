"""Writes a report page as one HTML file: texts in both languages, drawings as data, the plotting library inside."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from aimwell.core.text import Language, Text
from aimwell.web.report import theme
from aimwell.web.report.blocks import Chart, Json, Page

_FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="4 7 22 22" fill="none">'
    f'<circle cx="14.5" cy="18" r="9.25" stroke="{theme.PRIMARY}" stroke-width="3.5"/>'
    f'<path d="M23.75 8.5V27.25" stroke="{theme.PRIMARY}" stroke-width="3.5" stroke-linecap="round"/>'
    f'<circle cx="14.5" cy="18" r="3.1" fill="{theme.SERIES[1]}"/></svg>'
)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("aimwell.web.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(page: Page, language: Language) -> str:
    """The page as HTML text, shown in `language` until the reader switches."""
    drawings: list[tuple[Json, Json]] = []

    def number_of(chart: Chart) -> int:
        drawings.append(chart.drawing)
        return len(drawings) - 1

    template = _environment().get_template("report.html.j2")
    # The drawings are known only once the blocks are rendered, so their place is filled afterwards.
    html = template.render(
        page=page,
        language=language,
        tokens=theme.TOKENS,
        font=Markup(theme.FONT),  # noqa: S704 (our own constant)
        favicon=quote(_FAVICON),
        series1=theme.SERIES[1],
        simulated=Text("模拟数据", "Simulated"),
        number_of=number_of,
        plotly=Markup("@@plotly@@"),
        drawings=Markup("@@drawings@@"),
    )
    return html.replace("@@drawings@@", _embedded(drawings)).replace("@@plotly@@", get_plotlyjs())


def _embedded(drawings: list[tuple[Json, Json]]) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(drawings, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def template_names() -> list[str]:
    """The template files that ship with the report."""
    return sorted(path.name for path in files("aimwell.web.report").joinpath("templates").iterdir())
