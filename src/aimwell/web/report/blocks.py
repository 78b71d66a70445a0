"""What a report page is made of: plain values, each in both languages; the template decides how they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from aimwell.core.text import Text

Tone = Literal["plain", "ok", "warn", "danger", "hold", "primary"]
Mark = Literal["line", "dash", "dot", "band", "circle", "square", "triangle", "diamond", "circle-open", "square-open"]
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure: value, what it is, and what it is compared with."""

    value: Text
    name: Text
    beside: Text | None = None
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True, slots=True)
class Figures:
    """A row of key figures."""

    figures: Sequence[Figure]
    kind: str = field(default="figures", init=False)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence; a tone makes it a note with a coloured edge, a badge stands before it."""

    text: Text
    tone: Tone = "plain"
    badge: Text | None = None
    kind: str = field(default="sentence", init=False)


@dataclass(frozen=True, slots=True)
class Heading:
    """A title between the blocks of a section."""

    text: Text
    hint: Text | None = None
    kind: str = field(default="heading", init=False)


@dataclass(frozen=True, slots=True)
class Key:
    """One line of a chart's legend: what a mark stands for."""

    name: Text
    colour: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Chart:
    """One interactive chart that answers a question; `answer` says the answer in words.

    legend: stands above the picture as text, so that long names never cover the lines.
    """

    question: Text
    drawing: tuple[Json, Json]  # zh, en: {"data": [...], "layout": {...}}
    answer: Text | None = None
    height: int = 320
    wide: bool = False
    legend: Sequence[Key] = ()
    kind: str = field(default="chart", init=False)


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell with its own look: bar is a share of the cell's width to fill."""

    text: Text
    bar: float | None = None
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; `numbers` lists the columns that are aligned right.

    On narrow screens every row becomes a small card with the column's name before each value.
    """

    columns: Sequence[Text]
    rows: Sequence[Sequence[Text | Cell]]
    title: Text | None = None
    numbers: frozenset[int] = frozenset()
    note: Text | None = None
    wide: bool = True
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known: its name, its value, and how it compares (`place`: a share of the way from left)."""

    name: Text
    value: Text
    hint: Text | None = None
    place: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A compact list of names and values."""

    facts: Sequence[Fact]
    title: Text | None = None
    wide: bool = True
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that open on a click, for those who want to look deeper."""

    title: Text
    blocks: Sequence[Block]
    kind: str = field(default="fold", init=False)


@dataclass(frozen=True, slots=True)
class Cards:
    """Small cards beside one another, such as the groups of a clustering; `roomy` ones are half a page wide."""

    cards: Sequence[Card]
    roomy: bool = False
    kind: str = field(default="cards", init=False)


@dataclass(frozen=True, slots=True)
class Card:
    """One small card: a title with its mark in a picture, a badge, a figure, words, facts, points, a last note.

    link: key of the section that says more.
    """

    title: Text
    lines: Sequence[Text] = ()
    figure: Text | None = None
    mark: Key | None = None
    badge: Cell | None = None
    facts: Sequence[Fact] = ()
    points: Sequence[Text] = ()
    points_title: Text | None = None
    note: Text | None = None
    link: str = ""


Block = Figures | Sentence | Heading | Chart | Table | Facts | Fold | Cards


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter of the report, with the question that it answers; `group` is the part of the contents it is under."""

    key: str
    title: Text
    question: Text
    blocks: Sequence[Block]
    badge: Text | None = None
    group: Text | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    title: Text
    subtitle: Text
    as_of: Text
    sections: Sequence[Section]
    notes: Sequence[Text] = ()
    simulated: bool = False
