"""Bad input, end to end: what an impatient person gets wrong, and the sentence that helps, through the command line.

Each kind of mistake has its parts proven where they live: files, columns, encodings, dates and keys in
`tests/store/sources/test_bad_input.py`; mistakes of definitions in `tests/core/test_definitions.py`,
`tests/insight/segments/test_order.py`, `tests/insight/tags/test_mistakes.py`; too few answers, constant columns and
10,000 categories in `tests/insight/predictions` (`test_training.py`, `test_encoding.py`, `test_flat.py`) and
`tests/insight/clusterings/test_bad_input.py`; interrupts in `tests/cli/test_interrupts.py`.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlglot import parse_one
from tests.cli.conftest import Said, invoke, make_shop
from tests.cli.test_json import COMES, GROUPS

from aimwell.store.workspace import open_workspace

HEAD = "order_no,customer_id,order_date,amount\n"
GOODS = "read: {path: goods.csv}\ntables:\n  - table: product\n    columns: {product_id: sku, category: kind}\n"
HOT = """
label: {zh: 热饮, en: Hot drinks}
meaning: {zh: 泡着喝的, en: What is drunk hot}
of: product
family: preference
kind: boolean
formula: category = 'tea'
"""
RECENT = "label: {zh: 近期, en: Recent}\nkind: behavioural\nrule: RULE\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a workspace with a source `orders` and a segment `recent`, not yet loaded."""
    folder = make_shop(tmp_path / "shop")
    monkeypatch.chdir(folder)
    return folder


def run(words: str, *more: str) -> Said:
    """A command as it is typed; whatever happens, a person never sees a traceback."""
    said = invoke(*words.split(), *more, "--language", "en")
    assert "Traceback" not in said.out + said.err
    return said


def refused(words: str) -> str:
    """What a command says that cannot do what it is asked."""
    said = run(words)
    assert said.code in {1, 2}, said.out
    return said.err


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> None:
    place = folder / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(text.encode(encoding))


def days(count: int, customers: int = 1, amount: str = "10") -> str:
    """Orders of that many customers, each in turn, a day apart."""
    lines = [f"{n},c{n % customers},{date(2025, 1, 6) + timedelta(days=n % 180)},{amount}\n" for n in range(count)]
    return HEAD + "".join(lines)


def test_unknown_columns_are_named_with_what_was_meant(shop: Path) -> None:
    source = (shop / "sources/orders.yaml").read_text()
    write(shop, "sources/orders.yaml", source.replace("amount: amount", "amount: amout"))
    assert "orders.csv: there is no column 'amout' (did you mean 'amount'?)" in refused("source load")
    write(shop, "sources/orders.yaml", source.replace("amount: amount", "amunt: amount"))
    message = refused("source load")
    assert "sources/orders.yaml:4: tables.0.columns.amunt" in message
    assert "did you mean 'amount'?" in message
    write(shop, "strange.csv", "x,y\n1,2\n")
    assert "resembles no canonical table; saw the columns x, y" in refused("source check strange.csv")


def test_mixed_encodings_and_byte_order_marks_are_read_each_in_its_own(shop: Path) -> None:
    for number, encoding in enumerate(["utf-8", "utf-8-sig", "gb18030", "utf-16"]):
        write(shop, f"daily/{number}.csv", HEAD + f"{number},张三丰,2025-03-0{number + 1},5\n", encoding)
    write(shop, "sources/orders.yaml", (shop / "sources/orders.yaml").read_text().replace("orders.csv", "daily/*.csv"))
    said = run("source load")
    assert said.code == 0
    assert "gb18030 × 1, utf-16 × 1, utf-8 × 1, utf-8-sig × 1" in said.out
    assert run("profile").code == 0
    assert "Customer 张三丰" in run("explain 张三丰").out
    write(shop, "daily/4.csv", "")
    (shop / "daily/4.csv").write_bytes(
        (HEAD + "5,张三丰,2025-03-05,5\n").encode() + ("6,李四,2025-03-06,5\n" * 9).encode("gb18030")
    )
    message = refused("source load")
    assert "daily/4.csv" in message
    assert "Save the file as UTF-8" in message


def test_a_byte_order_mark_in_settings_and_definitions_is_no_mistake(shop: Path) -> None:
    for name in ("aimwell.toml", "sources/orders.yaml", "segments/recent.yaml"):
        (shop / name).write_bytes(b"\xef\xbb\xbf" + (shop / name).read_bytes())
    assert run("check").code == 0
    assert run("source load").code == 0
    (shop / "segments/recent.yaml").write_text("label: {zh: 近期, en: Recent}\n", encoding="gb18030")
    assert "segments/recent.yaml: is not UTF-8 text" in refused("check")


def test_bad_dates_are_refused_row_by_row_with_what_they_held(shop: Path) -> None:
    bad = ["2024-02-31", "yesterday", "0001-01-01", ""]
    write(shop, "orders.csv", HEAD + "".join(f"{n},c,{day},5\n" for n, day in enumerate([*bad, "2025-03-01"])))
    said = run("source load")
    assert said.code == 0
    assert "refused missing_occurred_at 1, unreadable_occurred_at 3" in said.out
    rows = run("source rejects").out
    assert "orders.csv:2  orders → purchase: unreadable_occurred_at" in rows
    assert "order_date=yesterday" in rows


def test_of_duplicate_keys_equal_rows_are_one_and_others_are_refused(shop: Path) -> None:
    write(shop, "orders.csv", HEAD + "1,a,2025-02-01,5\n1,a,2025-02-01,5\n1,b,2025-03-01,7\n2,b,2025-03-01,7\n")
    books = run("source load").out
    assert "refused conflicting_key 1" in books
    assert books.splitlines()[1].split() == ["orders", "purchase", "4", "2", "0", "1", "1"]


def test_empty_files_and_files_without_rows_are_told_apart(shop: Path) -> None:
    write(shop, "orders.csv", "")
    assert "orders.csv: it is empty (Was the export cut short?" in refused("source load")
    assert "There is nothing in orders.csv" in refused("source check orders.csv")
    write(shop, "orders.csv", HEAD)
    assert "No row could be kept" in run("source load").out
    for words in ("tags", "profile", "segment refresh", "run"):
        assert "Load a source first" in refused(words)


def test_a_population_with_no_positives_or_nobody_in_it_is_not_learnt_from(shop: Path) -> None:
    run("source load")
    write(
        shop,
        "predictions/never.yaml",
        COMES.replace("{happens: {purchases: {}}}", "{happens: {purchases: {product: unheard}}}"),
    )
    assert "nobody's answer was yes" in (message := refused("prediction train never"))
    assert "Check the target, take a longer horizon, or another population" in message
    write(shop, "predictions/never.yaml", COMES.replace("{within: 90d}", "{within: 90d, product: unheard}"))
    assert "nobody was in the population" in refused("prediction train never")
    assert "Train it first" in refused("prediction score never")
    assert run("prediction life never").out.count("failed") == 2


def test_one_customer_has_tags_and_segments_and_no_claims(shop: Path) -> None:
    write(shop, "orders.csv", days(175))
    write(shop, "predictions/comes.yaml", COMES)
    write(shop, "clusterings/groups.yaml", GROUPS)
    run("source load")
    assert "1 customers" in run("profile").out
    assert run("segment refresh").code == 0
    assert "Customer c0" in run("explain c0").out
    assert "saw everybody is within. Narrow its rule" in refused("segment different recent")
    assert "No column tells customers apart" in refused("prediction train comes")
    assert "customer" in refused("clustering fit groups")


def test_a_constant_column_is_named_and_stops_nothing(shop: Path) -> None:
    write(shop, "orders.csv", days(700, customers=61))
    write(shop, "clusterings/groups.yaml", GROUPS)
    assert "every row has the value 10.00" in run("source load").out
    said = run("clustering fit groups")
    assert said.code == 0
    assert "largest_order_84d" in said.out


def flat(shop: Path, rows: list[str]) -> None:
    write(shop, "leads.csv", "lead,city,visits,converted\n" + "".join(rows))
    write(
        shop,
        "predictions/leads.yaml",
        "label: {zh: 线索, en: Leads}\nkind: happens\nflat: {path: leads.csv, label: converted, customer: lead}\n"
        "model: {trees: {bags: 1, rounds: 5}, folds: 2}\nminimum_positives: 5\n",
    )


def test_ten_thousand_categories_are_learnt_from_without_a_word_for_each(shop: Path) -> None:
    run("source load")
    flat(shop, [f"L{n},city{n % 10_000},{n % 7},{'yes' if n % 7 > 3 else 'no'}\n" for n in range(30_000)])
    said = run("prediction train leads")
    assert said.code == 0, said.err
    assert len(said.out) < 5_000


def test_missing_optional_tables_are_named_with_what_would_bring_them(shop: Path) -> None:
    run("source load")
    assert "Without outcome.kind:" in run("tags").out
    write(shop, "segments/recent.yaml", RECENT.replace("RULE", "{outcomes: {kind: clicked}}"))
    assert "needs the table outcome, which is not loaded. Load a source that fills it" in refused("segment refresh")
    assert "segments/recent.yaml:3: rule: The rule needs the table outcome" in refused("check")
    write(shop, "predictions/opens.yaml", COMES.replace("{happens: {purchases: {}}}", "{happens: {events: {name: x}}}"))
    assert "needs the table event" in refused("prediction train opens")


FIVE = """\
labl: {zh: 坏, en: Bad}
kind: weird
rule:
  all:
    - purchases: {witin: 28d}
    - {tag: spend_28d, abov: 3}
owner: 3
"""

FIVE_NAMES = """\
kind: value
rule:
  all:
    - {tag: spend_28x, above: 3}
    - {segment: nobody}
    - {attribute: city, is: Paris}
    - {outcomes: {kind: clicked}}
    - {score: churm, above: 0.5}
"""


def test_five_mistakes_in_a_definition_are_all_told_with_file_and_line(shop: Path) -> None:
    run("source load")
    for text, lines in ((FIVE, (1, 2, 5, 6, 7)), (FIVE_NAMES, (4, 5, 6, 7, 8))):
        write(shop, "segments/bad.yaml", text)
        message = refused("check")
        assert "5 problems in the definitions" in message
        assert [line for line in range(1, 9) if f"segments/bad.yaml:{line}:" in message] == list(lines)
        assert "id you mean" in message
    write(shop, "segments/bad.yaml", FIVE)
    for words in ("segment refresh", "segment list", "run"):
        assert "5 problems in the definitions" in refused(words)


def test_a_failed_build_leaves_the_last_good_one_in_place(shop: Path) -> None:
    write(shop, "predictions/comes.yaml", COMES)
    for words in ("source load", "segment refresh", "prediction train comes"):
        assert run(words).code == 0
    views = ("segment members recent", "prediction card comes", "source rejects")
    good = [run(words).out for words in views]
    write(shop, "segments/worse.yaml", RECENT.replace("RULE", "{outcomes: {kind: clicked}}"))
    assert "'worse'" in refused("segment refresh")
    write(shop, "predictions/comes.yaml", COMES.replace("{within: 90d}", "{within: 90d, product: unheard}"))
    refused("prediction train comes")
    orders = (shop / "orders.csv").read_text()
    write(shop, "orders.csv", orders.replace("order_date", "day"))
    assert "there is no column 'order_date'" in refused("source load")
    assert [run(words).out for words in views] == good


def test_a_workspace_that_another_process_holds_is_said_in_one_sentence(shop: Path) -> None:
    run("source load")
    holding = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, "warehouse.duckdb"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "open"
        for words in ("source load", "tags", "segment refresh"):
            message = refused(words)
            assert len(message.splitlines()) == 1
            assert "is open in another process. Close the other notebook, command or server" in message
        other.stdin.close()


def test_paths_that_cannot_be_used_are_named(shop: Path) -> None:
    run("source load")
    assert "orders.csv cannot be used: File exists" in refused("init orders.csv")
    run("segment refresh")
    assert "ending in .csv or .parquet" in refused("segment members recent --out list.xlsx")
    assert "cannot be used" in refused("segment members recent --out orders.csv/list.csv")
    assert "There is no file 'nothing*.csv'" in refused("source check nothing*.csv")
    assert "is no workspace" in refused("tags --workspace elsewhere")


def test_products_loaded_before_anything_happened_are_kept_and_tagged_by_the_first_purchase(shop: Path) -> None:
    write(shop, "goods.csv", "sku,kind\ng1,tea\n")
    write(shop, "sources/goods.yaml", GOODS)
    write(shop, "tags/hot.yaml", HOT)
    first = run("source load goods")
    assert first.code == 0, first.err
    write(shop, "orders.csv", days(3))
    assert run("source load").code == 0
    with open_workspace(shop).warehouse() as warehouse:
        tagged = warehouse.engine.to_arrow(parse_one("SELECT product_id, tag FROM product_tag")).to_pylist()
    assert tagged == [{"product_id": "g1", "tag": "hot"}]
