"""The Qini curve: what a list ranked by effect adds, beside a list ranked by response and one in random order."""

from __future__ import annotations

from collections.abc import Sequence

from aimwell.core.text import Language, Text
from aimwell.insight.predictions.evaluation import Curve
from aimwell.web.report import charts, theme
from aimwell.web.report.blocks import Json, Key

_TREATED = Text("名单从好到差，触达的客户占比", "share of customers treated, the best of the list first")
BY_EFFECT = Text("按效果排序", "ranked by effect")
BY_RESPONSE = Text("按响应率排序", "ranked by response")
BY_CHANCE = Text("随机名单", "a random list")


def qini(curve: Curve, *, added: Text, scale: float) -> charts.Drawing:
    """What does a longer list add? The share treated to the right, what that adds upwards, the band around it.

    added: what the vertical axis counts.   scale: of its unit in the outcome's.
    """
    end = curve.model[-1] if curve.model else 0.0
    chance = [end * share for share in curve.contacted]

    def draw(language: Language) -> Json:
        look = charts.layout(
            x_title=_TREATED.said(language), y_title=added.said(language), x_format=".0%", y_format="~g"
        )
        band = _scaled([*curve.high, *reversed(curve.low)], scale)
        around = _line([*curve.contacted, *reversed(curve.contacted)], band, theme.SERIES[0], 0.0, "solid")
        around |= {"fill": "toself", "fillcolor": theme.translucent(theme.SERIES[0], 0.14), "hoverinfo": "skip"}
        drawn = [
            around,
            _line(curve.contacted, _scaled(chance, scale), theme.FIELD, 1.5, "dot"),
            _line(curve.contacted, _scaled(curve.baseline, scale), theme.SERIES[1], 2.0, "dash"),
            _line(curve.contacted, _scaled(curve.model, scale), theme.SERIES[0], 2.5, "solid"),
        ]
        return {"data": drawn, "layout": look}

    return draw("zh"), draw("en")


def qini_keys() -> list[Key]:
    """What the lines of the picture stand for."""
    return [
        Key(BY_EFFECT, theme.SERIES[0], "line"),
        Key(Text("其 95% 区间", "its 95% interval"), theme.SERIES[0], "band"),
        Key(BY_RESPONSE, theme.SERIES[1], "dash"),
        Key(BY_CHANCE, theme.FIELD, "dot"),
    ]


def _scaled(values: Sequence[float], scale: float) -> list[float]:
    return [scale * value for value in values]


def _line(x: Sequence[float], y: Sequence[float], colour: str, width: float, dash: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": width, "dash": dash},
        "hovertemplate": "%{x:.0%} → %{y:.3g}<extra></extra>",
    }
