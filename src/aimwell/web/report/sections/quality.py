"""Data quality: what was read, what was kept, what was refused and why, and what looks odd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from aimwell.core.text import Text
from aimwell.store.sources.rejects import reason_text
from aimwell.store.sources.report import LoadReport, Oddity, TableQuality, Tally
from aimwell.web.report.blocks import Block, Cell, Sentence, Table
from aimwell.web.report.formats import cleft, count, day, listed, same, share

_REASONS_SHOWN = 3
_FEW = 3
_NONE = Text("—", "—")
_GROUPED: Mapping[str, Text] = {
    "unknown": Text("没有值", "no value"),
    "zero": Text("等于 0", "zero"),
    "negative": Text("负数", "negative"),
    "constant": Text("全部相同", "always the same"),
}


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a source had brought before this run, which found nothing new in it."""

    source: str
    files: int
    rows: int
    kept: int
    loaded_at: datetime
    rejected: Mapping[str, int] = field(default_factory=dict)


def quality_blocks(
    report: LoadReport, earlier: Sequence[Earlier], quality: Sequence[TableQuality], zone: ZoneInfo
) -> list[Block]:
    """The books of the load, which must balance, then what a person should look at."""
    blocks: list[Block] = []
    tables = [table for source in report.sources for table in source.tables]
    if tables:
        blocks += [_balance(report), _books(report)]
    if earlier:
        blocks += [_nothing_new(earlier, whole=not tables), _earlier(earlier, zone)]
    notes = [note for source in report.sources for note in source.notes]
    blocks += [Sentence(note, "warn") for note in notes]
    odd = [row for table in quality for row in _of_table(table)]
    if odd:
        blocks.append(_worth_a_look(odd))
    elif quality:
        blocks.append(Sentence(Text("没有发现异常的值或孤立的键。", "No odd value and no orphan key was found."), "ok"))
    return blocks


def _balance(report: LoadReport) -> Sentence:
    tallies = [table.tally for source in report.sources for table in source.tables]
    read, kept = sum(t.read for t in tallies), sum(t.kept for t in tallies)
    refused = sum(t.refused for t in tallies)
    left = sum(t.filtered + t.duplicates for t in tallies)
    if not report.balanced:
        return Sentence(
            Text("行数对不上：不要使用这批数据。", "The rows do not add up: do not use these data."), "danger"
        )
    return Sentence(
        Text(
            f"读入 {count(read)} = 收下 {count(kept)} + 拒收 {count(refused)} + 过滤与重复 {count(left)} ✓",
            f"Read {count(read)} = kept {count(kept)} + rejected {count(refused)} "
            f"+ filtered or duplicate {count(left)} ✓",
        ),
        "ok",
    )


def _books(report: LoadReport) -> Table:
    rows = [_book_row(source.source, table.table, table.tally) for source in report.sources for table in source.tables]
    return Table(
        [
            Text("数据源 → 表", "source → table"),
            Text("读入", "read"),
            Text("收下", "kept"),
            Text("过滤", "filtered"),
            Text("重复", "duplicate"),
            Text("拒收", "rejected"),
            Text("拒收原因", "why rejected"),
        ],
        rows,
        title=Text("收支表", "The books"),
        numbers=frozenset({1, 2, 3, 4, 5}),
        note=Text(
            "一份文件可以填多张表，每张表各算一次。拒收的行连同原因保存在拒收表里，修正后可重新导入，不会重复。",
            "One file may fill several tables and is counted for each. Rejected rows are kept with their reason; mend "
            "and load them again, nothing is doubled.",
        ),
    )


def _book_row(source: str, table: str, tally: Tally) -> list[Text | Cell]:
    return [
        same(f"{source} → {table}"),
        same(count(tally.read)),
        same(count(tally.kept)),
        same(count(tally.filtered)),
        same(count(tally.duplicates)),
        Cell(same(count(tally.refused)), tone="warn" if tally.refused else "plain"),
        _reasons(tally.rejected),
    ]


def _reasons(rejected: Mapping[str, int]) -> Text:
    ranked = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    said = [
        Text(f"{reason_text(reason).zh} {count(rows)}", f"{reason_text(reason).en} {count(rows)}")
        for reason, rows in ranked[:_REASONS_SHOWN]
    ]
    rest = sum(rows for _, rows in ranked[_REASONS_SHOWN:])
    if rest:
        said.append(Text(f"其他 {count(rest)}", f"others {count(rest)}"))
    return cleft(said) if said else _NONE


def _nothing_new(earlier: Sequence[Earlier], *, whole: bool) -> Sentence:
    rows = count(sum(each.rows for each in earlier))
    if whole:
        return Sentence(
            Text(f"这次没有新数据；此前读入 {rows} 行。", f"Nothing new this time; {rows} rows were read before."), "ok"
        )
    return Sentence(Text("下列数据源这次没有新数据。", "These sources brought nothing new this time."))


def _earlier(earlier: Sequence[Earlier], zone: ZoneInfo) -> Table:
    rows: list[list[Text | Cell]] = []
    for each in earlier:
        refused = sum(each.rejected.values())
        rows.append(
            [
                same(each.source),
                same(count(each.files)),
                same(count(each.rows)),
                same(count(each.kept)),
                Cell(same(count(refused)), tone="warn" if refused else "plain"),
                _reasons(each.rejected),
                day(each.loaded_at, zone),
            ]
        )
    return Table(
        [
            Text("数据源", "source"),
            Text("文件", "files"),
            Text("读入", "read"),
            Text("收下（各表合计）", "kept (all its tables)"),
            Text("拒收", "rejected"),
            Text("拒收原因", "why rejected"),
            Text("最近导入", "last loaded"),
        ],
        rows,
        title=Text("此前的导入", "Loaded before"),
        numbers=frozenset({1, 2, 3, 4}),
    )


def _worth_a_look(rows: list[list[Text | Cell]]) -> Table:
    return Table(
        [Text("表", "table"), Text("看到什么", "what was seen"), Text("行数", "rows"), Text("占比", "share")],
        rows,
        title=Text("值得看一眼", "Worth a look"),
        numbers=frozenset({2, 3}),
        note=Text("这些行都已收下，不影响导入。", "These rows were kept; nothing was stopped by them."),
    )


def _of_table(table: TableQuality) -> list[list[Text | Cell]]:
    """Orphan keys first, then what is odd; columns that share one oddity share one row."""
    rows: list[list[Text | Cell]] = [
        [
            same(table.table),
            Text(
                f"孤立的键：{orphan.column} 有 {count(orphan.values)} 个值在 {orphan.references} 里找不到"
                f"（如 {'、'.join(orphan.examples[:_FEW])}）",
                f"orphan keys: {count(orphan.values)} values of {orphan.column} are not in {orphan.references} "
                f"(such as {', '.join(orphan.examples[:_FEW])})",
            ),
            same(count(orphan.rows)),
            same(_share(orphan.rows, table.rows)),
        ]
        for orphan in table.orphans
    ]
    for kind, group in groupby(sorted(table.oddities, key=lambda odd: odd.kind), key=lambda odd: odd.kind):
        rows += _odd_rows(table, kind, list(group))
    return rows


def _odd_rows(table: TableQuality, kind: str, found: Sequence[Oddity]) -> Iterable[list[Text | Cell]]:
    if kind in _GROUPED and len(found) > 1:
        said = listed([same(f"{odd.column} {share(odd.share)}") for odd in found])
        name = _GROUPED[kind]
        yield [same(table.table), Text(f"{name.zh}：{said.zh}", f"{name.en}: {said.en}"), _NONE, _NONE]
        return
    for odd in found:
        yield [same(table.table), odd.said, same(count(odd.rows)), same(share(odd.share))]


def _share(rows: int, of: int) -> str:
    if not of:
        return "—"
    part = rows / of
    return "<0.1%" if 0 < part < 0.001 else share(part)
