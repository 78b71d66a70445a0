"""What a load says to people, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aimwell.core.text import Language, Text
from aimwell.store.sources.planning import Plan
from aimwell.store.sources.rejects import reason_text
from aimwell.store.sources.report import LoadReport, SourceReport, TableReport

_FEW = 5


def notes_of(plan: Plan, empty: Sequence[str], encodings: Mapping[str, int]) -> tuple[Text, ...]:
    """What a person should know about the files of a source, though it stopped nothing."""
    return tuple(_notes(plan, empty, encodings))


def _notes(plan: Plan, empty: Sequence[str], encodings: Mapping[str, int]) -> Iterator[Text]:
    if empty:
        names = _listed(empty)
        yield Text(f"{len(empty)} 个文件是空的:{names}", f"{len(empty)} file(s) hold nothing: {names}")
    if len(encodings) > 1:
        counted = ", ".join(f"{codec} × {count}" for codec, count in sorted(encodings.items()))
        yield Text(f"文件编码不一致:{counted}", f"The files are written in several encodings: {counted}")
    if plan.gone:
        names = _listed(plan.gone)
        yield Text(
            f"{len(plan.gone)} 个已加载的文件不在原处,数据保留:{names}",
            f"{len(plan.gone)} loaded file(s) are no longer there, their rows stay: {names}",
        )
    if plan.removed:
        names = _listed(plan.removed)
        yield Text(
            f"{len(plan.removed)} 个文件不再属于此数据源,数据已移除:{names}",
            f"{len(plan.removed)} file(s) no longer belong to the source, their rows are removed: {names}",
        )


def summary(report: LoadReport, language: Language) -> list[str]:
    """The report in lines that a marketer reads."""
    lines: list[str] = []
    for name in report.undefined:
        said = Text(f"数据源 {name} 已无定义,数据保留", f"The source {name} is defined no more, its rows stay")
        lines.append(said.said(language))
    for source in report.sources:
        lines += _source_lines(source, language)
    for table in report.quality:
        title = Text(f"{table.table}:共 {table.rows:,} 行", f"{table.table}: {table.rows:,} rows in all")
        lines.append(title.said(language))
        lines += [f"  - {oddity.said.said(language)}" for oddity in table.oddities]
        for orphan in table.orphans:
            said = Text(
                f"{orphan.column} 有 {orphan.values:,} 个值({orphan.rows:,} 行)在 {orphan.references} 中找不到",
                f"{orphan.column}: {orphan.values:,} values ({orphan.rows:,} rows) are not in {orphan.references}",
            )
            lines.append(f"  - {said.said(language)}")
    return lines


def _source_lines(source: SourceReport, language: Language) -> Iterator[str]:
    files = Text(
        f"{source.source}:新 {len(source.new)},变更 {len(source.changed)},未变 {len(source.unchanged)}",
        f"{source.source}: {len(source.new)} new, {len(source.changed)} changed, {len(source.unchanged)} unchanged",
    )
    yield files.said(language)
    for note in source.notes:
        yield f"  ! {note.said(language)}"
    if source.unmapped:
        names = _listed(source.unmapped)
        yield "  " + Text(f"未使用的列:{names}", f"columns not used: {names}").said(language)
    for table in source.tables:
        yield from _table_lines(table, language)


def _table_lines(report: TableReport, language: Language) -> Iterator[str]:
    tally = report.tally
    said = Text(
        f"  → {report.table}:读入 {tally.read:,} = 保留 {tally.kept:,} + 拒绝 {tally.refused:,}"
        f" + 过滤 {tally.filtered:,} + 重复 {tally.duplicates:,}",
        f"  → {report.table}: {tally.read:,} read = {tally.kept:,} kept + {tally.refused:,} rejected"
        f" + {tally.filtered:,} filtered + {tally.duplicates:,} duplicates",
    )
    yield said.said(language)
    for reason, count in sorted(tally.rejected.items(), key=lambda item: (-item[1], item[0])):
        sample = report.samples.get(reason, ())
        shown = f"  ({sample[0].file}:{sample[0].row_number})" if sample else ""
        yield f"      {count:,} × {reason_text(reason).said(language)}{shown}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + (", …" if len(names) > _FEW else "")
