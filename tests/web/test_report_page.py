"""The report is one file that needs no network and says everything in both languages."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode

from plotly.offline import get_plotlyjs

from aimwell.core.text import Text
from aimwell.web.report import charts
from aimwell.web.report.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Chart,
    Fact,
    Facts,
    Figure,
    Figures,
    Fold,
    Heading,
    Key,
    Page,
    Section,
    Sentence,
    Table,
)
from aimwell.web.report.page import render

NAME = Text("模型", "Model")


def _page(*blocks: Block, simulated: bool = False) -> Page:
    section = Section("one", Text("结论", "Summary"), Text("一页看懂", "On one page"), blocks)
    return Page(
        Text("标题", "Title"), Text("副标题", "Subtitle"), Text("截至", "As of"), [section], simulated=simulated
    )


def _every_block() -> list[Block]:
    gains = charts.gains(
        [charts.Line(NAME, [0.0, 1.0], [0.0, 1.0], low=[0.0, 0.9], high=[0.1, 1.0])],
        reached=Text("覆盖的目标客户占比", "share of them reached"),
        mark=(0.38, 0.8),
        mark_text=Text("点", "point"),
    )
    inner = Chart(Text("校准", "Calibration"), charts.calibration([0.1], [0.2], [0.1], [0.3], [50]))
    return [
        Figures([Figure(Text("1", "1"), Text("人", "people"), Text("去年 2", "last year 2"))]),
        Sentence(Text("一句话", "A sentence"), "warn", Text("注意", "note")),
        Heading(Text("小标题", "A heading"), Text("提示", "A hint")),
        Chart(Text("多少人?", "How many?"), gains, Text("答案", "The answer"), legend=[Key(NAME, "#0E6473", "dash")]),
        Facts([Fact(Text("谁", "Who"), Text("大家", "Everybody"), Text("约", "about"), place=0.9)]),
        Table(
            [Text("客户", "Customer")], [[Cell(Text("甲", "A"), bar=0.5)], [Text("乙", "B")]], numbers=frozenset({0})
        ),
        Fold(Text("专业视图", "Analyst view"), [inner]),
        Cards(
            [
                Card(
                    Text("组", "Group"),
                    [Text("大", "large")],
                    Text("9", "9"),
                    Key(NAME, "#0E6473", "circle"),
                    points=[Text("要点", "A point")],
                )
            ]
        ),
    ]


def test_every_kind_of_block_is_written_in_both_languages() -> None:
    html = render(_page(*_every_block()), "zh")
    for word in (
        "一句话",
        "A sentence",
        "答案",
        "The answer",
        "专业视图",
        "Analyst view",
        "Customer",
        "客户",
        "A point",
        "大家",
    ):
        assert word in html


def test_nothing_is_fetched_from_anywhere() -> None:
    html = render(_page(*_every_block()), "en")
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html)
    packed = re.search(r'<script id="library" type="application/gzip">(.*?)</script>', html, re.DOTALL)
    assert packed is not None
    assert gzip.decompress(b64decode(packed[1])).decode() == get_plotlyjs()


def test_drawings_are_numbered_in_the_order_of_their_places() -> None:
    html = render(_page(*_every_block()), "en")
    found = re.search(r'<script id="drawings" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    drawings = json.loads(found[1])
    assert re.findall(r'data-plot="(\d+)"', html) == [str(i) for i in range(len(drawings))] == ["0", "1"]
    assert drawings[0][0]["layout"]["xaxis"]["title"]["text"] == "联系的客户占比"
    assert drawings[0][1]["layout"]["xaxis"]["title"]["text"] == "share of customers contacted"


def test_words_from_data_cannot_become_markup() -> None:
    attack = Text("<script>alert(1)</script>", "<img src=x onerror=alert(1)>")
    drawing = charts.bars([attack], [1.0], [attack], x_title=attack)
    html = render(_page(Sentence(attack), Chart(attack, drawing)), "en")
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html


def test_simulated_data_say_so() -> None:
    assert "badge simulated" in render(_page(simulated=True), "en").split("<main>")[1]
    assert "badge simulated" not in render(_page(), "en").split("<main>")[1]
