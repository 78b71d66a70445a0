"""Clusterings: which groups are there, are they real, and what are they worth knowing?"""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.clusterings import ClusteringResult, Group
from aimwell.insight.clusterings.result import WorthRow
from aimwell.web.report import charts, theme
from aimwell.web.report.blocks import Block, Card, Cards, Cell, Chart, Fold, Sentence, Table
from aimwell.web.report.formats import between, count, money, number, same, share

_LEFT_OUT = Text("不属于任何一类", "Belongs to no group")
_UNKNOWN = Text("—", "—")


def clustering_blocks(result: ClusteringResult, currency: str) -> list[Block]:
    """The groups as cards, the map, how stable they are, and what they explain beside RFM cells."""
    blocks: list[Block] = []
    if result.stability is not None:
        blocks.append(Sentence(result.stability.text, "plain", Text("稳定度", "Stability")))
    blocks.append(Cards([_card(group, currency) for group in result.groups]))
    blocks.append(_map(result))
    if result.worth is not None and result.worth.rows:
        blocks.append(_worth(result.worth.rows))
    blocks.append(Fold(Text("专业视图", "Analyst view"), _details(result)))
    return blocks


def _card(group: Group, currency: str) -> Card:
    lines = [group.description]
    if group.value is not None:
        figure = money(group.value.value, currency)
        low_high = between(money(group.value.low, currency), money(group.value.high, currency))
        lines.append(Text(f"人均价值 {figure}（{low_high}）", f"worth {figure} each ({low_high})"))
    lines.append(group.verdict_text)
    size = Text(
        f"{count(group.people)} 人 · {share(group.share)}", f"{count(group.people)} people · {share(group.share)}"
    )
    return Card(group.name, lines, size, theme.SERIES[group.colour % len(theme.SERIES)])


def _map(result: ClusteringResult) -> Chart:
    picture = result.picture
    clouds = []
    for name, wanted in [*[(group.name, group.id) for group in result.groups], (_LEFT_OUT, "")]:
        places = [i for i, group in enumerate(picture.group) if group == wanted]
        if places:
            clouds.append(charts.Cloud(name, [picture.x[i] for i in places], [picture.y[i] for i in places]))
    shown = sum(axis.share for axis in picture.axes)
    answer = Text(
        f"抽样 {count(len(picture.x))} 人；两轴保留 {share(shown, 0)} 的差异，只供看图，不作距离解释。",
        f"A sample of {count(len(picture.x))}; the two axes keep {share(shown, 0)} of all differences. "
        "For looking at, not for measuring.",
    )
    return Chart(Text("有哪些群？", "Which groups are there?"), charts.scatter(clouds), answer, height=420, wide=True)


def _worth(rows: tuple[WorthRow, ...]) -> Table:
    return Table(
        [
            Text("解释什么", "explains"),
            Text("分法", "grouping"),
            Text("群数", "groups"),
            Text("解释比例 R²（95% 区间）", "R² (95% interval)"),
            Text("比同样多的 RFM 格多", "ahead of as many RFM cells"),
        ],
        [_worth_row(row) for row in rows],
        title=Text(
            "这些群说明了什么？在未见过的客户上评估", "What do the groups explain? Judged on customers not seen"
        ),
        numbers=frozenset({2, 3, 4}),
    )


def _worth_row(row: WorthRow) -> list[Text | Cell]:
    ahead = _UNKNOWN
    if row.ahead is not None:
        low_high = between(number(row.ahead.low), number(row.ahead.high))
        ahead = same(f"{number(row.ahead.value)} ({low_high})")
    proven = row.ahead is not None and row.ahead.low > 0
    low_high = between(number(row.r2.low), number(row.r2.high))
    return [
        row.outcome_label,
        row.grouping_label,
        same(count(row.groups)),
        same(f"{number(row.r2.value)} ({low_high})"),
        Cell(ahead, tone="ok" if proven else "hold"),
    ]


def _details(result: ClusteringResult) -> list[Block]:
    traits = [
        [group.name, Text("；".join(t.text.zh for t in group.traits), "; ".join(t.text.en for t in group.traits))]
        for group in result.groups
    ]
    blocks: list[Block] = [Table([Text("群", "group"), Text("与众不同", "what sets it apart")], traits)]
    features = Text(
        "、".join(feature.label.zh for feature in result.features),
        ", ".join(feature.label.en for feature in result.features),
    )
    blocks.append(
        Sentence(
            Text(
                f"方法：{result.method_label.zh}。依据：{features.zh}。",
                f"Method: {result.method_label.en}. Grouped by: {features.en}.",
            )
        )
    )
    blocks += [Sentence(note) for note in result.notes]
    return blocks
