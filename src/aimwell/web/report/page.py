"""Writes a report page as one HTML file: texts in both languages, drawings as data, the plotting library inside.

The library is packed (gzip, base64) and unpacked by the browser: a third of its size, and nothing is fetched.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from functools import cache
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
_WORDS = {
    "contents": Text("目录", "Contents"),
    "simulated": Text("模拟数据", "Simulated"),
    "more": Text("看依据", "See why"),
    "loading": Text("正在画图…", "Drawing…"),
    "failed": Text(
        "这个浏览器画不出图，文字和表格不受影响。",
        "This browser cannot draw the charts; words and tables are complete.",
    ),
}


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

    # The drawings are known only once the blocks are rendered, so the body is made first.
    environment = _environment()
    body = environment.get_template("body.html.j2").render(
        page=page, language=language, tokens=theme.TOKENS, series1=theme.SERIES[1], number_of=number_of, words=_WORDS
    )
    return environment.get_template("report.html.j2").render(
        page=page,
        language=language,
        tokens=theme.TOKENS,
        font=Markup(theme.FONT),  # noqa: S704 (our own constant)
        favicon=quote(_FAVICON),
        body=Markup(body),  # noqa: S704 (escaped when it was rendered)
        words=_WORDS,
        library=_library(),
        drawings=Markup(_embedded(drawings)),  # noqa: S704 (no "<" is left in it)
    )


@cache
def _library() -> str:
    """The plotting library, packed; the same text for the same library."""
    return b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()


def _embedded(drawings: list[tuple[Json, Json]]) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(drawings, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
