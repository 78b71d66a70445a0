"""Data quality: what was read, what was kept, what was refused and why, and what looks odd."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.store.sources.report import LoadReport, TableQuality, TableReport
from aimwell.web.report.blocks import Block, Cell, Sentence, Table
from aimwell.web.report.formats import count, same, share

_REJECTED_SHOWN = 3
_ODD_SHOWN = 14


def quality_blocks(report: LoadReport) -> list[Block]:
    """The books of the load, which must balance, then what a person should look at."""
    blocks: list[Block] = [_balance(report), _books(report)]
    odd = _odd(report)
    if odd.rows:
        blocks.append(odd)
    return blocks


def _balance(report: LoadReport) -> Sentence:
    tallies = [table.tally for source in report.sources for table in source.tables]
    read, kept = sum(t.read for t in tallies), sum(t.kept for t in tallies)
    refused = sum(t.refused for t in tallies)
    left = sum(t.filtered + t.duplicates for t in tallies)
    if not report.balanced:
        return Sentence(
            Text("行数对不上：请不要使用这批数据。", "The rows do not add up: do not use these data."), "danger"
        )
    return Sentence(
        Text(
            f"读 {count(read)} = 收 {count(kept)} + 拒 {count(refused)} + 过滤与重复 {count(left)} ✓",
            f"Read {count(read)} = kept {count(kept)} + rejected {count(refused)} "
            f"+ filtered or duplicate {count(left)} ✓",
        ),
        "ok",
    )


def _books(report: LoadReport) -> Table:
    rows: list[list[Text | Cell]] = []
    for source in report.sources:
        for table in source.tables:
            tally = table.tally
            rows.append(
                [
                    same(source.source),
                    same(table.table),
                    same(count(tally.read)),
                    same(count(tally.kept)),
                    same(count(tally.filtered)),
                    same(count(tally.duplicates)),
                    Cell(same(count(tally.refused)), tone="warn" if tally.refused else "plain"),
                    _reasons(table),
                ]
            )
    return Table(
        [
            Text("数据源", "source"),
            Text("表", "table"),
            Text("读", "read"),
            Text("收", "kept"),
            Text("过滤", "filtered"),
            Text("重复", "duplicate"),
            Text("拒", "rejected"),
            Text("拒收原因", "why rejected"),
        ],
        rows,
        numbers=frozenset({2, 3, 4, 5, 6}),
        note=Text(
            "拒收的行连同原因保存在拒收表里，修正后可重新导入，不会重复。",
            "Rejected rows are kept with their reason; mend and load them again, nothing is doubled.",
        ),
    )


def _reasons(table: TableReport) -> Text:
    ranked = sorted(table.tally.rejected.items(), key=lambda item: (-item[1], item[0]))[:_REJECTED_SHOWN]
    return same("; ".join(f"{reason} {count(rows)}" for reason, rows in ranked) or "—")


def _odd(report: LoadReport) -> Table:
    rows: list[list[Text | Cell]] = []
    for table in report.quality:
        rows += _of_table(table)
    return Table(
        [
            Text("表", "table"),
            Text("列", "column"),
            Text("看到什么", "what was seen"),
            Text("行数", "rows"),
            Text("占比", "share"),
        ],
        rows[:_ODD_SHOWN],
        title=Text("值得看一眼", "Worth a look"),
        numbers=frozenset({3, 4}),
        note=Text("这些行都已收下，不影响导入。", "These rows were kept; nothing was stopped by them."),
    )


def _of_table(table: TableQuality) -> list[list[Text | Cell]]:
    orphans: list[list[Text | Cell]] = [
        [
            same(table.table),
            same(orphan.column),
            Text(
                f"{count(orphan.values)} 个值在 {orphan.references} 里没有",
                f"{count(orphan.values)} values are not in {orphan.references}",
            ),
            same(count(orphan.rows)),
            same(share(orphan.rows / table.rows) if table.rows else "—"),
        ]
        for orphan in table.orphans
    ]
    oddities: list[list[Text | Cell]] = [
        [same(table.table), same(odd.column), odd.said, same(count(odd.rows)), same(share(odd.share))]
        for odd in table.oddities
    ]
    return orphans + oddities
