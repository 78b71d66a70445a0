"""Charts as plain drawing instructions for the plotting library in the page; one function per question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aimwell.core.text import Language, Text
from aimwell.web.report import theme
from aimwell.web.report.blocks import Json


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, points, and how it is drawn."""

    name: Text
    x: Sequence[object]
    y: Sequence[float]
    role: str = "series"  # series | baseline | random
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def layout(
    *, x_title: str = "", y_title: str = "", x_format: str = "", y_format: str = "", legend: bool = True
) -> Json:
    """The common look: paper, hairlines, tabular figures, legend above."""
    axis: Json = {
        "gridcolor": theme.LINE,
        "linecolor": theme.FIELD,
        "zeroline": False,
        "tickfont": {"size": 12, "color": theme.TEXT2},
        "title": {"font": {"size": 12, "color": theme.TEXT3}},
        "automargin": True,
    }
    return {
        "font": {"family": theme.FONT, "size": 13, "color": theme.TEXT},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 16, "t": 34, "b": 44},
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.16, "font": {"size": 12}},
        "hoverlabel": {"font": {"family": theme.FONT, "size": 12}},
        "xaxis": axis
        | {"title": {"text": x_title, "font": {"size": 12, "color": theme.TEXT3}}, "tickformat": x_format},
        "yaxis": axis
        | {"title": {"text": y_title, "font": {"size": 12, "color": theme.TEXT3}}, "tickformat": y_format},
        "hovermode": "closest",
    }


def _line_trace(line: Line, index: int, language: Language) -> list[Json]:
    traces: list[Json] = []
    colour = theme.FIELD if line.role == "random" else theme.SERIES[index % len(theme.SERIES)]
    if line.low is not None and line.high is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [*line.x, *reversed(list(line.x))],
                "y": [*line.high, *reversed(list(line.low))],
                "fill": "toself",
                "fillcolor": theme.translucent(colour, 0.14),
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    dash = "dot" if line.role == "random" else "dash" if line.role == "baseline" else "solid"
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": line.name.said(language),
            "x": list(line.x),
            "y": list(line.y),
            "line": {"color": colour, "width": 1.5 if line.role == "random" else 2.5, "dash": dash},
        }
    )
    return traces


def gains(lines: Sequence[Line], *, mark: tuple[float, float] | None, mark_text: Text | None) -> tuple[Json, Json]:
    """How many must be contacted to reach the buyers? Shares on both axes; `mark` is the point that is spoken of."""

    def draw(language: Language) -> Json:
        data: list[Json] = []
        for index, line in enumerate(lines):
            data += _line_trace(line, index, language)
        look = layout(
            x_title={"zh": "联系的人占比", "en": "share of people contacted"}[language],
            y_title={"zh": "覆盖的目标客户占比", "en": "share of responders reached"}[language],
            x_format=".0%",
            y_format=".0%",
        )
        # Long names of rules stand one below the other, above the picture.
        look["margin"] = {"l": 56, "r": 16, "t": 64, "b": 44}
        look["legend"] = {"x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom", "font": {"size": 12}}
        if mark and mark_text:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [mark[0]],
                    "y": [mark[1]],
                    "marker": {"size": 11, "color": theme.SERIES[0]},
                    "showlegend": False,
                    "hoverinfo": "skip",
                }
            )
            look["annotations"] = [
                {
                    "x": mark[0],
                    "y": mark[1],
                    "text": mark_text.said(language),
                    "showarrow": False,
                    "xanchor": "left",
                    "xshift": 12,
                    "yshift": -14,
                    "font": {"size": 13, "color": theme.TEXT},
                    "bgcolor": theme.translucent(theme.SURFACE, 0.85),
                }
            ]
        return {"data": data, "layout": look}

    return draw("zh"), draw("en")


def calibration(
    said: Sequence[float], seen: Sequence[float], low: Sequence[float], high: Sequence[float], people: Sequence[int]
) -> tuple[Json, Json]:
    """Can "30 %" be believed? What was said against what happened, with intervals, on the diagonal."""

    def draw(language: Language) -> Json:
        top = max([*said, *high, 0.01]) * 1.05
        points: Json = {
            "type": "scatter",
            "mode": "markers",
            "name": {"zh": "实际", "en": "seen"}[language],
            "x": list(said),
            "y": list(seen),
            "marker": {"size": 9, "color": theme.SERIES[0]},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [h - s for h, s in zip(high, seen, strict=True)],
                "arrayminus": [s - lo for lo, s in zip(low, seen, strict=True)],
                "color": theme.translucent(theme.SERIES[0], 0.5),
                "thickness": 2,
                "width": 0,
            },
            "customdata": list(people),
            "hovertemplate": {
                "zh": "说 %{x:.1%}，实际 %{y:.1%}（%{customdata} 人）",
                "en": "said %{x:.1%}, seen %{y:.1%} (%{customdata} people)",
            }[language]
            + "<extra></extra>",
        }
        diagonal: Json = {
            "type": "scatter",
            "mode": "lines",
            "name": {"zh": "完全相符", "en": "exact"}[language],
            "x": [0, top],
            "y": [0, top],
            "line": {"color": theme.FIELD, "dash": "dot", "width": 1.5},
            "hoverinfo": "skip",
        }
        look = layout(
            x_title={"zh": "预测的概率", "en": "probability said"}[language],
            y_title={"zh": "实际发生的比例", "en": "share seen"}[language],
            x_format=".0%",
            y_format=".0%",
        )
        return {"data": [diagonal, points], "layout": look}

    return draw("zh"), draw("en")


def periods(
    labels: Sequence[str], model: Line, baseline: Line | None, *, y_title: Text, y_format: str = ".2f"
) -> tuple[Json, Json]:
    """Does it keep working? One dot with its interval per period, the baseline beside it."""

    def trace(line: Line, colour: str, symbol: str, language: Language) -> Json:
        drawn: Json = {
            "type": "scatter",
            "mode": "markers+lines",
            "name": line.name.said(language),
            "x": list(labels),
            "y": list(line.y),
            "line": {"color": theme.translucent(colour, 0.4), "width": 1.5},
            "marker": {"size": 9, "color": colour, "symbol": symbol},
        }
        if line.low is not None and line.high is not None:
            drawn["error_y"] = {
                "type": "data",
                "symmetric": False,
                "array": [h - y for h, y in zip(line.high, line.y, strict=True)],
                "arrayminus": [y - lo for lo, y in zip(line.low, line.y, strict=True)],
                "thickness": 2,
                "width": 0,
                "color": theme.translucent(colour, 0.5),
            }
        return drawn

    def draw(language: Language) -> Json:
        data = [trace(model, theme.SERIES[0], "circle", language)]
        if baseline:
            data.append(trace(baseline, theme.SERIES[1], "square-open", language))
        look = layout(y_title=y_title.said(language), y_format=y_format)
        look["xaxis"] = {**_axis(look["xaxis"]), "type": "category"}
        return {"data": data, "layout": look}

    return draw("zh"), draw("en")


def bars(
    names: Sequence[Text],
    values: Sequence[float],
    texts: Sequence[Text],
    *,
    x_format: str = "",
    x_title: Text | None = None,
) -> tuple[Json, Json]:
    """How large is each? Horizontal bars, largest on top, each with its figure."""

    def draw(language: Language) -> Json:
        data: list[Json] = [
            {
                "type": "bar",
                "orientation": "h",
                "y": [name.said(language) for name in names],
                "x": list(values),
                "text": [text.said(language) for text in texts],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": theme.SERIES[0]},
                "hoverinfo": "y+text",
            }
        ]
        look = layout(x_format=x_format, x_title=x_title.said(language) if x_title else "", legend=False)
        look["yaxis"] = {**_axis(look["yaxis"]), "autorange": "reversed", "gridcolor": "rgba(0,0,0,0)"}
        look["margin"] = {"l": 8, "r": 72, "t": 8, "b": 36}
        look["bargap"] = 0.45
        return {"data": data, "layout": look}

    return draw("zh"), draw("en")


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points of one group in a scatter picture."""

    name: Text
    x: Sequence[float]
    y: Sequence[float]


def scatter(clouds: Sequence[Cloud]) -> tuple[Json, Json]:
    """Which groups are there? A two-dimensional map, for looking only."""

    def draw(language: Language) -> Json:
        data: list[Json] = [
            {
                "type": "scattergl" if sum(len(c.x) for c in clouds) > 20_000 else "scatter",
                "mode": "markers",
                "name": cloud.name.said(language),
                "x": [round(v, 3) for v in cloud.x],
                "y": [round(v, 3) for v in cloud.y],
                "marker": {
                    "size": 5,
                    "opacity": 0.7,
                    "color": theme.SERIES[index % 6],
                    "symbol": theme.SYMBOLS[index % 6],
                },
                "hoverinfo": "name",
            }
            for index, cloud in enumerate(clouds)
        ]
        look = layout()
        for axis in ("xaxis", "yaxis"):
            look[axis] = {**_axis(look[axis]), "showticklabels": False, "ticks": ""}
        look["margin"] = {"l": 8, "r": 8, "t": 8, "b": 8}
        look["legend"] = {"orientation": "h", "x": 0, "y": -0.06, "font": {"size": 12}}
        return {"data": data, "layout": look}

    return draw("zh"), draw("en")


def heat(
    rows: Sequence[Text], columns: Sequence[Text], values: Sequence[Sequence[float]], texts: Sequence[Sequence[str]]
) -> tuple[Json, Json]:
    """How do two sets of names go together? Cells in one colour's steps, each with its figure."""

    def draw(language: Language) -> Json:
        steps = [[i / (len(theme.SEQUENCE) - 1), colour] for i, colour in enumerate(theme.SEQUENCE)]
        data: list[Json] = [
            {
                "type": "heatmap",
                "x": [c.said(language) for c in columns],
                "y": [r.said(language) for r in rows],
                "z": [list(row) for row in values],
                "text": [list(row) for row in texts],
                "texttemplate": "%{text}",
                "colorscale": steps,
                "showscale": False,
                "hoverinfo": "x+y+text",
                "xgap": 2,
                "ygap": 2,
            }
        ]
        look = layout(legend=False)
        look["yaxis"] = {**_axis(look["yaxis"]), "autorange": "reversed"}
        look["margin"] = {"l": 8, "r": 8, "t": 8, "b": 40}
        return {"data": data, "layout": look}

    return draw("zh"), draw("en")


def lines(
    series: Sequence[Line], *, x_title: Text, y_title: Text, x_format: str = "", y_format: str = ""
) -> tuple[Json, Json]:
    """How many, over time or over a scale? Plain lines."""

    def draw(language: Language) -> Json:
        data: list[Json] = []
        for index, line in enumerate(series):
            data += _line_trace(line, index, language)
        look = layout(
            x_title=x_title.said(language), y_title=y_title.said(language), x_format=x_format, y_format=y_format
        )
        return {"data": data, "layout": look}

    return draw("zh"), draw("en")


def _axis(value: object) -> Json:
    if not isinstance(value, dict):
        raise TypeError("an axis is a mapping")
    return dict(value)
