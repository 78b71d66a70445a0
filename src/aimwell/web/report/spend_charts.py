"""The picture of a budget: what more money would gain, where the plan stands, and what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aimwell.core.text import Language, Text
from aimwell.web.report import charts, theme
from aimwell.web.report.blocks import Json, Key


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the picture that is spoken of: money spent and net gain; `other` is what stands beside."""

    name: Text
    spend: float
    net: float
    other: bool = False

    @property
    def key(self) -> Key:
        """The spot in a legend."""
        return Key(self.name, theme.SERIES[1 if self.other else 0], "square" if self.other else "circle")


def spending(
    curve: Sequence[tuple[float, float]],
    band: Sequence[tuple[float, float]],
    spots: Sequence[Spot],
    *,
    currency: str,
    expected: Sequence[tuple[float, float]] = (),
) -> charts.Drawing:
    """What does more money gain? Money spent to the right, net gain upwards, its interval around it.

    band: empty where nothing was measured.   expected: what was foretold, dashed, beside a curve that was measured.
    """

    def draw(language: Language) -> Json:
        look = charts.layout(
            x_title={"zh": f"花费（{currency}）", "en": f"money spent ({currency})"}[language],
            y_title={"zh": f"净增益（{currency}）", "en": f"net gain ({currency})"}[language],
            x_format=",.0f",
            y_format=",.0f",
        )
        drawn = [_band(curve, band)] if band else []
        drawn += [_line(expected, dashed=True)] if expected else []
        return {"data": [*drawn, _line(curve), *(_spot(each, language) for each in spots)], "layout": look}

    return draw("zh"), draw("en")


def _band(curve: Sequence[tuple[float, float]], band: Sequence[tuple[float, float]]) -> Json:
    x = [spend for spend, _ in curve]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *reversed(x)],
        "y": [*(high for _, high in band), *(low for low, _ in reversed(band))],
        "fill": "toself",
        "fillcolor": theme.translucent(theme.SERIES[0], 0.14),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _line(curve: Sequence[tuple[float, float]], *, dashed: bool = False) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [spend for spend, _ in curve],
        "y": [net for _, net in curve],
        "line": {"color": theme.SERIES[2], "width": 1.5, "dash": "dash"}
        if dashed
        else {"color": theme.SERIES[0], "width": 2.5},
        "hovertemplate": "%{x:,.0f} → %{y:,.0f}<extra></extra>",
    }


def _spot(spot: Spot, language: Language) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": spot.name.said(language),
        "x": [spot.spend],
        "y": [spot.net],
        "marker": {"size": 11, "color": spot.key.colour, "symbol": spot.key.mark},
        "hovertemplate": "%{x:,.0f} → %{y:,.0f}",
    }
