"""Every chapter of the report says its thing in both languages, and nothing that data hold can become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.web import brought, chosen, examples, moved
from tests.web.examples import AS_OF, EVIL

from aimwell.core.text import Text
from aimwell.core.time import zone
from aimwell.store.sources.report import LoadReport
from aimwell.store.workspace import Settings, Workspace
from aimwell.web.report.blocks import Block, Cards, Chart, Fold, Page, Section, Sentence, Table
from aimwell.web.report.build import Findings, Overview, build_page
from aimwell.web.report.page import render
from aimwell.web.report.sections import prediction_tables, summary
from aimwell.web.report.sections.audience import audience_blocks
from aimwell.web.report.sections.clusterings import clustering_blocks
from aimwell.web.report.sections.customer import customer_blocks, telling
from aimwell.web.report.sections.journeys import journey_blocks
from aimwell.web.report.sections.predictions import prediction_blocks, verdict
from aimwell.web.report.sections.quality import quality_blocks
from aimwell.web.report.sections.segments import segment_blocks

_HAN = re.compile(r"[一-鿿]")
_PROSE = re.compile(r"[A-Za-z]{3,} [a-z]{3,} [a-z]{2,}")
TITLE = Text("咖啡需求", "Demand for coffee")


def _workspace() -> Workspace:
    settings = Settings(name="Corner shop", currency="CNY", timezone="UTC", about="Made up for a test.")
    return Workspace(Path("nowhere"), settings)


def _findings() -> Findings:
    overview = Overview(1000, 5000, 250_000.0, 800, 40, datetime(2025, 1, 1, tzinfo=UTC), AS_OF)
    kinds = {"coffee": "happens", "spend": "how_much"}
    return Findings(
        as_of=AS_OF,
        overview=overview,
        load=examples.load_report(),
        titles={"coffee": TITLE, "spend": Text("消费", "Spend")},
        questions={"coffee": examples.question(), "spend": examples.question("amount")},
        backtests={name: examples.backtest(name, kind) for name, kind in kinds.items()},
        scorings={name: examples.scoring(amounts=kind == "how_much") for name, kind in kinds.items()},
        files={"coffee": ("out/coffee.csv",)},
        segments=examples.segment_story(),
        clusterings={"ways": examples.clustering()},
        customer=examples.customer_story(),
        earlier=[examples.earlier()],
        quality=[examples.quality()],
        journeys=[examples.journey_story()],
        value=examples.value_story(),
        contribution=brought.contribution_story(),
        plans={"autumn": chosen.plan_story()},
        lists={"next": chosen.recommender_story()},
        effects={"coupon": moved.effect_story()},
    )


def _texts(value: object) -> Iterator[Text]:
    """Every phrase anywhere inside blocks."""
    if isinstance(value, Text):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _said(blocks: list[Block], language: str = "en") -> str:
    return "\n".join(text.en if language == "en" else text.zh for text in _texts(blocks))


def _of(blocks: list[Block], kind: type[Block]) -> list[Block]:
    return [block for block in blocks if isinstance(block, kind)]


def test_every_chapter_is_there_in_order_and_the_contents_lead_to_each() -> None:
    page = build_page(_workspace(), _findings())
    assert [section.key for section in page.sections] == [
        "summary", "coffee", "spend", "effect_coupon", "recommender_next", "decision_autumn", "journeys",
        "lifetime_value", "contribution", "segments", "ways", "customer", "quality",
    ]  # fmt: skip
    html = render(page, "zh")
    for section in page.sections:
        assert f'href="#{section.key}"' in html
        assert f'id="{section.key}"' in html


def test_no_phrase_is_left_in_the_other_language() -> None:
    page = build_page(_workspace(), _findings())
    wrong = []
    for text in _texts(page):
        if text.zh == text.en:
            wrong += [text] if _HAN.search(text.zh) or _PROSE.search(text.zh) else []
        else:
            words = re.search(r"[A-Za-z]", text.zh) and not _HAN.search(text.zh)
            wrong += [text] if words or _HAN.search(text.en) else []
    about = "Made up for a test."
    assert [text for text in wrong if about not in text.en] == []


def test_plots_speak_both_languages_and_name_their_axes() -> None:
    charts = [
        block
        for section in build_page(_workspace(), _findings()).sections
        for block in _of(list(section.blocks), Chart)
    ]
    assert len(charts) == 3 + 3 + 1 + 1 + 1 + 1 + 1 + 2
    for chart in charts:
        assert isinstance(chart, Chart)
        for language, drawing in zip(("zh", "en"), chart.drawing, strict=True):
            layout = drawing["layout"]
            assert isinstance(layout, dict)
            title = layout["xaxis"]["title"]["text"]
            assert title, chart.question.en
            assert bool(_HAN.search(title)) == (language == "zh")


def test_what_data_hold_cannot_become_markup() -> None:
    html = render(build_page(_workspace(), _findings()), "en")
    assert EVIL not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "=cmd()" in html  # a word like any other: nothing on a page is run as a formula


def test_the_summary_says_whom_how_many_and_what_it_was_worth_then() -> None:
    blocks = list(build_page(_workspace(), _findings()).sections[0].blocks)
    said = _said(blocks)
    assert "2 lists ready, better than the rule of thumb beyond chance. 2 segments brought up to date." in said
    assert "Offer it to these 123 first." in said
    assert "80.0% of such a tenth bought, 20.0% of everybody (4.0×)" in said
    assert "40% (36%–44%); the rule of thumb 30%" in said
    assert "about 308 customers in all" in said  # a quarter of 1,234
    assert "out/coffee.csv" in said
    assert "¥74,040 from everybody (8% too low when held out)" in said
    assert "not effects of contacting anybody" in said


def test_an_unproven_list_says_so_in_the_summary_and_in_its_verdict() -> None:
    unsure = examples.backtest(gap=0.0)
    assert "not proven" in verdict(unsure, "CNY").en
    assert "尚未证实" in verdict(unsure, "CNY").zh
    card = summary.action(unsure, examples.scoring(), examples.question(), TITLE, "CNY", ())
    assert card.badge is not None
    assert card.badge.text == prediction_tables.NOT_PROVEN
    assert card.lines[1].en == 'Not proven better than "the latest buyers first": that rule may do as well.'
    assert "其中 1 张" in summary.lists_ready([unsure, examples.backtest()], 0).zh


def test_a_failed_prediction_is_told_at_the_top() -> None:
    broken = replace(_findings(), failures={"coffee": "no positives"})
    notes = _of(list(build_page(_workspace(), broken).sections[0].blocks), Sentence)
    told = [note for note in notes if isinstance(note, Sentence) and note.tone == "danger"]
    assert [note.text.en for note in told] == ["Demand for coffee was not brought up to date: no positives"]


def test_a_prediction_stands_beside_its_baseline_with_dates_rows_and_intervals() -> None:
    blocks = prediction_blocks(examples.backtest(), examples.question(), "CNY")
    said = _said(blocks)
    assert "2 earlier dates (1 Apr 2025 to 1 May 2025): 4,000 rows, 700 of them yes" in said
    assert "1 Jun 2025: 1,000 people, 20.0% of whom did it" in said
    assert "0.800 (0.720–0.880)" in said
    assert "−10.0 pp (−11.0 – −9.0)" in said
    assert "the latest buyers first" in said
    assert "Of those given 10% on average, 10% did it (8%–13%); 1 of 2 groups hold." in said


def test_that_nobody_was_chosen_at_random_stands_out_before_any_picture() -> None:
    blocks = prediction_blocks(examples.backtest(), examples.question(), "CNY")
    place = next(
        i for i, block in enumerate(blocks) if isinstance(block, Sentence) and block.badge and "随机" in block.badge.zh
    )
    note = blocks[place]
    assert isinstance(note, Sentence)
    assert note.tone == "warn"
    assert place < next(i for i, block in enumerate(blocks) if isinstance(block, Chart))


def test_a_prediction_without_outcomes_shows_the_reason_and_no_picture() -> None:
    bare = examples.backtest()
    whole = replace(bare.new, notes=(Text("没有正例", "no positives"),))
    blocks = prediction_blocks(replace(bare, everybody=whole, periods=()), examples.question(), "CNY")
    assert "no positives" in _said(blocks)
    assert not _of(blocks, Chart)


def test_the_list_shows_the_first_customers_with_reasons_and_where_the_rest_is() -> None:
    (table,) = audience_blocks(examples.scoring(), TITLE, "CNY", ("out/a.csv", "out/a.parquet"))
    assert isinstance(table, Table)
    said = _said([table])
    assert "Orders: 9 (raises)" in said
    assert "out/a.csv, out/a.parquet" in said
    empty = replace(examples.scoring(), audience=())
    assert "no list" in _said(audience_blocks(empty, TITLE, "CNY", ()))


def test_a_segment_tells_size_change_overlap_and_what_sets_it_apart() -> None:
    blocks = segment_blocks(examples.segment_story())
    cards = _of(blocks, Cards)[0]
    assert isinstance(cards, Cards)
    loyal, gone = cards.cards
    assert loyal.figure == Text("400 人 · 40.0%", "400 people · 40.0%")
    assert loyal.points[0].en == "Spend: 940, others 385 (2.4×) [2.2× to 2.7×]"
    assert loyal.points[0].zh == "消费额 940，其他人 385（2.4×） [2.2× 至 2.7×]"
    assert [fact.value.en for fact in loyal.facts] == ["30 entered, 12 left", "Quiet (10%)"]
    assert "Nobody belongs today." in [line.en for line in gone.lines]
    assert "Loyal and Quiet" in _said(blocks)


def test_a_clustering_tells_how_stable_its_groups_are_and_what_they_explain() -> None:
    blocks = clustering_blocks(examples.clustering(), "CNY")
    said = _said(blocks)
    for words in ("Unstable", "Night owls", "¥50 (¥45 – ¥55)", "less than RFM"):
        assert words in said
    (chart,) = [block for block in blocks if isinstance(block, Chart)]
    assert "to the right:<br>higher Hour" in str(chart.drawing[1])
    assert "upwards:<br>lower Hour" in str(chart.drawing[1])


def test_a_customers_page_tells_scores_reasons_tags_and_what_happened() -> None:
    said = _said(customer_blocks(examples.customer_story("c7"), "CNY", zone("UTC")))
    for words in (
        "Customer c7",
        "90.0%",
        "1 of 1,234",
        "Orders: 9 (raises)",
        "In segments: Loyal.",
        "30 Jun 2025, 09:05",
    ):
        assert words in said
    assert "The data carry nothing of: Credit." in said
    assert "4 of 5 tags have a value" in said


def test_telling_tags_are_those_far_from_the_middle_one_window_of_each() -> None:
    (_, transaction, _) = examples.customer_story().page.groups
    assert [tag.name for tag in telling(transaction.tags)] == ["spend", "gap"]


def test_the_books_of_a_load_balance_and_give_every_reason() -> None:
    said = _said(quality_blocks(examples.load_report(), [], [examples.quality()], zone("UTC")))
    assert "Read 100 = kept 91 + rejected 5 + filtered or duplicate 4 ✓" in said
    assert "customer_id is missing 3; amount cannot be read 2" in said
    assert "no value: brand 50.0%, category 20.0%" in said
    assert "orphan keys: 2 values of product_id are not in product" in said


def test_books_that_do_not_balance_raise_an_alarm() -> None:
    report = examples.load_report()
    table = report.sources[0].tables[0]
    wrong = replace(table, tally=replace(table.tally, kept=1))
    broken = replace(report, sources=(replace(report.sources[0], tables=(wrong,)),))
    (first, *_) = quality_blocks(broken, [], [], zone("UTC"))
    assert isinstance(first, Sentence)
    assert first.tone == "danger"


def test_a_run_without_news_tells_of_the_loads_before() -> None:
    quiet = LoadReport(AS_OF, "v1", changed=False)
    said = _said(quality_blocks(quiet, [examples.earlier()], [], zone("UTC")))
    assert "Nothing new this time; 5,000 rows were read before." in said
    assert "rule bad_row 100" in said
    assert "1 May 2025" in said


def test_a_report_without_predictions_segments_or_groups_is_still_a_page() -> None:
    bare = replace(
        _findings(), titles={}, questions={}, backtests={}, scorings={}, files={}, segments=None, clusterings={},
        customer=None, earlier=[], quality=[], journeys=[], value=None, contribution=None, plans={}, lists={},
        effects={},
    )  # fmt: skip
    page = build_page(_workspace(), bare)
    assert [section.key for section in page.sections] == ["summary", "quality"]
    assert "What to do next" not in render(page, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_folded_parts_hold_what_analysts_ask_for(language: str) -> None:
    folds = _of(prediction_blocks(examples.backtest(), examples.question(), "CNY"), Fold)
    said = _said(folds, language)
    for words in {"zh": ("去年买过", "十分位", "随机种子 7"), "en": ("bought last year", "tenth", "Random seed 7")}[
        language
    ]:
        assert words in said


def test_the_library_is_packed_once_and_the_page_stays_small() -> None:
    section = Section("one", TITLE, TITLE, [])
    html = render(Page(TITLE, TITLE, TITLE, [section]), "en")
    assert html.count('id="library"') == 1
    assert len(html) < 2_500_000


def test_a_journey_says_who_came_in_what_was_made_up_why_nothing_was_sent_and_what_it_changed() -> None:
    said = _said(journey_blocks([examples.journey_story()]))
    for words in (
        "Simulated answers, real customers",
        "turned away: 4 (had entered before)",
        "25 reached the goal, 5 left (closed)",
        "31.2% of 80 in the journey, 20.0% of 20 held out: a difference of 11.0 points (95% interval 2.0–20.0).",
        "There is no consent, or it was withdrawn",
        "3 messages were opened by machines",
        "75 → done",
    ):
        assert words in said
    assert "相差 11.0 个百分点" in _said(journey_blocks([examples.journey_story()]), "zh")


def test_a_journey_that_may_have_changed_nothing_says_nothing_proven_and_real_answers_carry_no_label() -> None:
    unproven = examples.journey_story(simulated=False, effect=(-0.05, 0.1))
    assert "nothing proven (2.5 points, 95% interval −5.0 – 10.0)" in _said(journey_blocks([unproven]))
    assert "差异未获证实" in _said(journey_blocks([unproven]), "zh")
    for language, words in (("en", "imulated"), ("zh", "模拟")):
        assert words not in _said(journey_blocks([unproven]), language)


def test_a_journey_says_what_it_changed_in_money_or_that_nothing_is_proven_or_known() -> None:
    proven = _said(journey_blocks([examples.journey_story(money=(0.5, 3.5))]))
    assert (
        "Spent within 21 days: ¥12.00 each by 80 in the journey, ¥10.00 each by 20 held out: a difference of ¥2.00 "
        "each (95% interval ¥0.50 – ¥3.50)." in proven
    )
    story = examples.journey_story(money=(-1.0, 5.0))
    assert "nothing proven (¥2.00 each, 95% interval −¥1.00 – ¥5.00)" in _said(journey_blocks([story]))
    assert "人均 ¥2.00，95% 区间" in _said(journey_blocks([story]), "zh")
    assert story.lift is not None
    short = replace(story, lift=replace(story.lift, money=None))
    assert "cannot be compared yet: purchases are known up to 2026-03-01" in _said(journey_blocks([short]))
    assert "is not compared: no purchases can be read" in _said(journey_blocks([examples.journey_story()]))


def test_a_journey_shows_the_funnel_of_each_node_without_steps_that_nobody_took() -> None:
    said = _said(journey_blocks([examples.journey_story()]))
    assert "What became of the messages of each node?" in said
    assert "offer (push)" in said
    assert "Joined" not in said


def test_a_journey_whose_time_is_not_over_is_not_judged() -> None:
    story = examples.journey_story()
    assert story.lift is not None
    early = replace(story, lift=replace(story.lift, goal=None, pending=100))
    assert "cannot be compared with the hold-out yet: the time of 100 is not over" in _said(journey_blocks([early]))
