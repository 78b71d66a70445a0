"""Charts as plain drawing instructions for the plotting library in the page; one function per question.

Legends stand outside the picture (`blocks.Key`), so that long names never cover a line and wrap on narrow screens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aimwell.core.text import Language, Text
from aimwell.web.report import theme
from aimwell.web.report.blocks import Json, Key, Mark

Role = Literal["series", "baseline", "random"]
Drawing = tuple[Json, Json]
_DASHES: dict[Role, str] = {"series": "solid", "baseline": "dash", "random": "dot"}
_MARKS: dict[Role, Mark] = {"series": "line", "baseline": "dash", "random": "dot"}
_CLEAR = "rgba(0,0,0,0)"
_CONTACTED = Text("联系的客户占比", "share of customers contacted")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, points, and how it is drawn."""

    name: Text
    x: Sequence[object]
    y: Sequence[float]
    role: Role = "series"
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None

    @property
    def colour(self) -> str:
        return {"series": theme.SERIES[0], "baseline": theme.SERIES[1], "random": theme.FIELD}[self.role]

    @property
    def key(self) -> Key:
        """The line in a legend."""
        return Key(self.name, self.colour, _MARKS[self.role])


def layout(*, x_title: str = "", y_title: str = "", x_format: str = "", y_format: str = "") -> Json:
    """The common look: paper, hairlines, tabular figures."""

    def axis(title: str, form: str) -> Json:
        return {
            "gridcolor": theme.LINE,
            "linecolor": theme.FIELD,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
            "tickfont": {"size": 12, "color": theme.TEXT2},
            "tickformat": form,
            "title": {"text": title, "font": {"size": 12, "color": theme.TEXT2}, "standoff": 10},
        }

    return {
        "font": {"family": theme.FONT, "size": 13, "color": theme.TEXT},
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "margin": {"l": 56, "r": 16, "t": 12, "b": 48},
        "showlegend": False,
        "hoverlabel": {"font": {"family": theme.FONT, "size": 12}},
        "xaxis": axis(x_title, x_format),
        "yaxis": axis(y_title, y_format),
        "hovermode": "closest",
    }


def _traces(line: Line, language: Language) -> list[Json]:
    traces: list[Json] = []
    if line.low is not None and line.high is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [*line.x, *reversed(list(line.x))],
                "y": [*line.high, *reversed(list(line.low))],
                "fill": "toself",
                "fillcolor": theme.translucent(line.colour, 0.14),
                "line": {"width": 0},
                "hoverinfo": "skip",
            }
        )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": line.name.said(language),
            "x": list(line.x),
            "y": list(line.y),
            "line": {
                "color": line.colour,
                "width": 1.5 if line.role == "random" else 2.5,
                "dash": _DASHES[line.role],
            },
            "hovertemplate": "%{x:.0%} → %{y:.0%}",
        }
    )
    return traces


def gains(
    lines: Sequence[Line], *, reached: Text, mark: tuple[float, float], mark_text: Text, along: Text = _CONTACTED
) -> Drawing:
    """How many must be contacted to reach the buyers? Shares on both axes; `mark` is the point that is spoken of.

    along, reached: what the axes count.
    """

    def draw(language: Language) -> Json:
        look = layout(
            x_title=along.said(language),
            y_title=reached.said(language),
            x_format=".0%",
            y_format=".0%",
        )
        look["xaxis"] = {**_axis(look["xaxis"]), "range": [0, 1.01], "dtick": 0.2}
        look["yaxis"] = {**_axis(look["yaxis"]), "range": [0, 1.02], "dtick": 0.2}
        look["annotations"] = [
            {
                "x": mark[0],
                "y": mark[1],
                "text": mark_text.said(language),
                "showarrow": False,
                "xanchor": "left",
                "xshift": 12,
                "yshift": -16,
                "font": {"size": 13, "color": theme.TEXT},
                "bgcolor": theme.translucent(theme.SURFACE, 0.85),
            }
        ]
        data = [trace for line in lines for trace in _traces(line, language)]
        return {"data": [*data, _dot(mark)], "layout": look}

    return draw("zh"), draw("en")


def _dot(place: tuple[float, float]) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [place[0]],
        "y": [place[1]],
        "marker": {"size": 11, "color": theme.SERIES[0]},
        "hoverinfo": "skip",
    }


def calibration(
    said: Sequence[float], seen: Sequence[float], low: Sequence[float], high: Sequence[float], people: Sequence[int]
) -> Drawing:
    """Can "30 %" be believed? What was said against what happened, with intervals, on the diagonal."""
    top = max([*said, *high, 0.01]) * 1.05

    def draw(language: Language) -> Json:
        points: Json = {
            "type": "scatter",
            "mode": "markers",
            "x": list(said),
            "y": list(seen),
            "marker": {"size": 9, "color": theme.SERIES[0]},
            "error_y": _bounds(seen, low, high, theme.SERIES[0]),
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
            "x": [0, top],
            "y": [0, top],
            "line": {"color": theme.FIELD, "dash": "dot", "width": 1.5},
            "hoverinfo": "skip",
        }
        look = layout(
            x_title={"zh": "预测的概率", "en": "probability said"}[language],
            y_title={"zh": "实际发生的比例", "en": "share that did it"}[language],
            x_format=".0%",
            y_format=".0%",
        )
        return {"data": [diagonal, points], "layout": look}

    return draw("zh"), draw("en")


def calibration_keys() -> list[Key]:
    """What the marks of the calibration picture stand for."""
    return [
        Key(Text("每组约十分之一的客户，竖线为 95% 区间", "about a tenth of the customers each, bar: 95% interval"),
            theme.SERIES[0], "circle"),
        Key(Text("完全相符", "exact"), theme.FIELD, "dot"),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dot:
    """One period: its name on the axis, the figure with its interval, the baseline's, and whether it was held out."""

    label: Text
    value: float
    low: float
    high: float
    baseline: float | None
    held_out: bool


def periods(dots: Sequence[Dot], *, x_title: Text, y_title: Text) -> Drawing:
    """Does it keep working? One dot with its interval per period, the baseline beside it; held-out periods filled."""

    def draw(language: Language) -> Json:
        labels = [dot.label.said(language) for dot in dots]
        blue, orange = theme.SERIES[0], theme.SERIES[1]
        model: Json = {
            "type": "scatter",
            "mode": "markers+lines",
            "x": labels,
            "y": [dot.value for dot in dots],
            "line": {"color": theme.translucent(blue, 0.4), "width": 1.5},
            "marker": {
                "size": 11,
                "color": [blue if dot.held_out else theme.SURFACE for dot in dots],
                "line": {"color": blue, "width": 2},
            },
            "error_y": _bounds(
                [dot.value for dot in dots], [dot.low for dot in dots], [dot.high for dot in dots], blue
            ),
            "hovertemplate": "%{x}: %{y:.3f}<extra></extra>",
        }
        beside: Json = {
            "type": "scatter",
            "mode": "markers+lines",
            "x": labels,
            "y": [dot.baseline for dot in dots],
            "line": {"color": theme.translucent(orange, 0.4), "width": 1.5, "dash": "dash"},
            "marker": {"size": 9, "color": orange, "symbol": "square"},
            "hovertemplate": "%{x}: %{y:.3f}<extra></extra>",
        }
        look = layout(x_title=x_title.said(language), y_title=y_title.said(language), y_format=".2f")
        look["xaxis"] = {**_axis(look["xaxis"]), "type": "category"}
        return {"data": [model, beside] if any(dot.baseline is not None for dot in dots) else [model], "layout": look}

    return draw("zh"), draw("en")


def _bounds(values: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> Json:
    return {
        "type": "data",
        "symmetric": False,
        "array": [h - y for h, y in zip(high, values, strict=True)],
        "arrayminus": [y - lo for lo, y in zip(low, values, strict=True)],
        "color": theme.translucent(colour, 0.5),
        "thickness": 2,
        "width": 0,
    }


def bars(names: Sequence[Text], values: Sequence[float], texts: Sequence[Text], *, x_title: Text) -> Drawing:
    """How large is each? Horizontal bars in the order given, the name of each above it, its figure at its end."""

    def draw(language: Language) -> Json:
        places = list(range(len(names)))
        look = layout(x_title=x_title.said(language), x_format=".0%")
        look["yaxis"] = {
            **_axis(look["yaxis"]),
            "range": [len(names) - 0.45, -0.75],
            "showticklabels": False,
            "gridcolor": _CLEAR,
        }
        look["xaxis"] = {**_axis(look["xaxis"]), "rangemode": "tozero"}
        look["margin"] = {"l": 8, "r": 96, "t": 4, "b": 48}
        look["bargap"] = 0.62
        look["annotations"] = [_above(place, name.said(language)) for place, name in enumerate(names)]
        data: list[Json] = [
            {
                "type": "bar",
                "orientation": "h",
                "y": places,
                "x": list(values),
                "text": [_plain(text.said(language)) for text in texts],
                "textposition": "outside",
                "textfont": {"size": 12, "color": theme.TEXT2},
                "cliponaxis": False,
                "marker": {"color": theme.SERIES[0]},
                "hoverinfo": "text",
            }
        ]
        return {"data": data, "layout": look}

    return draw("zh"), draw("en")


def _above(place: int, name: str) -> Json:
    """The name of a bar, above it."""
    return {
        "x": 0,
        "y": place,
        "text": _plain(name),
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 6,
        "font": {"size": 12, "color": theme.TEXT},
    }


def _plain(words: str) -> str:
    """Words as the plotting library shall show them: it would read some tags as markup."""
    return words.replace("<", "‹").replace(">", "›")


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points of one group in a scatter picture, with its colour and symbol."""

    name: Text
    x: Sequence[float]
    y: Sequence[float]
    place: int

    @property
    def key(self) -> Key:
        """The group in a legend."""
        return key_of(self.name, self.place)


def key_of(name: Text, place: int) -> Key:
    """The mark of the n-th group of a clustering, the same wherever it is shown; below 0 those who belong to none."""
    return Key(name, *_look(place))


def scatter(clouds: Sequence[Cloud], *, x_title: Sequence[Text], y_title: Sequence[Text]) -> Drawing:
    """Which groups are there? A map for looking only; the titles of its axes may have several lines."""

    def lines(title: Sequence[Text], language: Language) -> str:
        return "<br>".join(_plain(line.said(language)) for line in title)

    def trace(cloud: Cloud, language: Language) -> Json:
        colour, mark = _look(cloud.place)
        symbol = {"triangle": "triangle-up"}.get(mark, mark)
        return {
            "type": "scatter",
            "mode": "markers",
            "name": _plain(cloud.name.said(language)),
            "x": [round(v, 2) for v in cloud.x],
            "y": [round(v, 2) for v in cloud.y],
            "marker": {"size": 6, "opacity": 0.7, "color": colour, "symbol": symbol},
            "hoverinfo": "name",
        }

    def draw(language: Language) -> Json:
        look = layout(x_title=lines(x_title, language), y_title=lines(y_title, language))
        for axis in ("xaxis", "yaxis"):
            look[axis] = {**_axis(look[axis]), "showticklabels": False, "ticks": ""}
        look["margin"] = {"l": 56, "r": 8, "t": 8, "b": 64}
        look["hoverlabel"] = {"font": {"family": theme.FONT, "size": 12}, "namelength": -1}
        return {"data": [trace(cloud, language) for cloud in clouds], "layout": look}

    return draw("zh"), draw("en")


def _look(place: int) -> tuple[str, Mark]:
    """Colour and symbol of the n-th group: after six colours the symbols change, so that no two look alike."""
    marks: tuple[Mark, ...] = ("circle", "square", "triangle", "diamond", "circle-open", "square-open")
    if place < 0:
        return theme.FIELD, "circle-open"
    size = len(theme.SERIES)
    return theme.SERIES[place % size], marks[(place + place // size) % len(marks)]


def _axis(value: object) -> Json:
    if not isinstance(value, dict):
        raise TypeError("an axis is a mapping")
    return dict(value)
