"""A rehearsal plays journeys on real customers with simulated answers; nothing leaves, and everything says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import func, select
from tests.cli.conftest import Run
from tests.web.test_report_sections import _said as said

from aimwell.cli.rehearsal import Rehearsed, rehearse_aside, rehearse_here
from aimwell.cli.reporting import run_and_report
from aimwell.cli.summary import journey_lines
from aimwell.core.errors import BadQuestion
from aimwell.core.keys import share_of
from aimwell.delivery.outbox.balances import verify_balances
from aimwell.insight.segments.membership import prepare, record
from aimwell.simulation.shoppers import Shoppers
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.inbox import message
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import consent, identifier
from aimwell.store.workspace import Workspace, open_workspace
from aimwell.web.report.journeys import journey_stories
from aimwell.web.report.sections.journeys import JourneyStory, journey_blocks

SINCE = datetime(2026, 1, 5, tzinfo=UTC)
SETTINGS = """
name = "A shop"
currency = "CNY"
timezone = "Asia/Shanghai"
language = "en"

[channels.push]
kind = "{kind}"
"""
SEGMENT = "{kind: behavioural, rule: {not: {purchases: {within: 30d}}}}"
CONTENT = """
channel: push
parts: {en: {text: "20% off {{ top_category | default: 'everything' }}"}, zh: {text: 八折}}
"""
JOURNEY = """
label: {zh: 唤醒, en: Wake up}
objective: retention
entry: {segment: sleepers}
hold_out: 25%
goal: {order: {event: order_completed}}
within: 10d
start: offer
nodes:
  offer: {send: {channel: push, content: offer}, to: patience}
  patience: {wait: {event: {opened: offer}, at_most: 2d}, to: {happened: done, timeout: done}}
  done: {end: {}}
"""


def make_workspace(folder: Path, people: int, *, kind: str = "simulated", existing: bool = True) -> Workspace:
    """A workspace of so many customers who all belong to a segment, with one journey for them."""
    for name in ("segments", "journeys", "content"):
        (folder / name).mkdir(parents=True)
    entry = "entry: {segment: sleepers, existing: true}" if existing else "entry: {segment: sleepers}"
    (folder / "aimwell.toml").write_text(SETTINGS.replace("{kind}", kind), encoding="utf-8")
    (folder / "segments" / "sleepers.yaml").write_text(SEGMENT, encoding="utf-8")
    (folder / "content" / "offer.yaml").write_text(CONTENT, encoding="utf-8")
    journey = JOURNEY.replace("entry: {segment: sleepers}", entry)
    (folder / "journeys" / "wake.yaml").write_text(journey, encoding="utf-8")
    ids = [f"c{number:05}" for number in range(people)]
    workspace = open_workspace(folder)
    with workspace.warehouse() as warehouse:
        engine = warehouse.engine
        engine.write("customer", pa.table({"customer_id": ids}))
        engine.write("profile", pa.table({"customer_id": ids, "top_category": ["Tea"] * people}))
        engine.write("found", pa.table({"customer_id": ids}))
        prepare(engine)
        record(engine, {"sleepers": "found"}, SINCE - timedelta(days=1), people=people)
    return workspace


def the_story(folder: Path) -> JourneyStory:
    (story,) = journey_stories(open_workspace(folder))
    return story


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Rehearsed]:
    workspace = make_workspace(tmp_path_factory.mktemp("shop") / "w", 160)
    rehearsed = rehearse_here(workspace, SINCE)
    assert rehearsed is not None
    return workspace, rehearsed


def test_everyone_in_the_segment_comes_in_and_who_is_held_out_gets_nothing(played: tuple[Workspace, Rehearsed]) -> None:
    workspace, rehearsed = played
    story = the_story(workspace.folder)
    assert rehearsed.until == SINCE + timedelta(days=11)
    assert (story.funnel.entered, story.funnel.active) == (160, 0)
    assert story.held_out == sum(share_of("hold-out", "wake", f"c{number:05}") < 0.25 for number in range(160)) > 20
    with workspace.ledger() as ledger, ledger.reading() as connection:
        verify_balances(connection)
        held_out = set(connection.scalars(select(enrolment.c.customer_id).where(enrolment.c.held_out)))
        assert not held_out & set(connection.scalars(select(intent.c.customer_id)))
        assert connection.scalar(select(func.count()).where(enrolment.c.held_out, enrolment.c.goal_at.is_not(None)))


def test_people_are_not_reached_for_reasons_of_their_own(played: tuple[Workspace, Rehearsed]) -> None:
    (node,) = the_story(played[0].folder).funnel.nodes
    assert {"consent", "no_address"} <= set(node.not_sent)
    assert 0 < node.steps["clicked"] <= node.steps["opened"] < node.steps["delivered"] <= node.steps["exposed"]


def test_what_is_made_up_says_so_in_the_ledger_the_summary_and_the_report(played: tuple[Workspace, Rehearsed]) -> None:
    workspace, _ = played
    with workspace.ledger() as ledger:
        with ledger.reading_events() as connection:
            assert set(connection.scalars(select(message.c.source))) == {"simulation"}
        with ledger.reading() as connection:
            sources = select(identifier.c.source).where(identifier.c.kind == "push_token")
            assert (
                set(connection.scalars(sources)) == set(connection.scalars(select(consent.c.source))) == {"simulation"}
            )
    story = the_story(workspace.folder)
    assert "Wake up (simulated answers): 160 came in" in "\n".join(journey_lines([story], workspace.folder, "en"))
    assert "唤醒（模拟的回应）：进入 160 人" in "\n".join(journey_lines([story], workspace.folder, "zh"))
    blocks = journey_blocks([story])
    assert "Simulated answers, real customers" in said(blocks)
    assert "模拟的回应，真实的客户" in said(blocks, "zh")
    assert "There is no consent, or it was withdrawn" in said(blocks)


def test_with_few_people_nothing_is_proven_and_that_is_said(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", 12)
    rehearse_here(workspace, SINCE)
    story = the_story(workspace.folder)
    assert story.lift is not None
    assert not story.lift.proven
    for language, words in (("en", "nothing proven"), ("zh", "差异未获证实")):
        assert words in "\n".join(journey_lines([story], workspace.folder, language))  # type: ignore[arg-type] # a language
        assert words in said(journey_blocks([story]), language)


def test_it_is_played_once_on_a_ledger_and_the_same_wherever_it_is_played(
    played: tuple[Workspace, Rehearsed], tmp_path: Path
) -> None:
    workspace, rehearsed = played
    before = the_story(workspace.folder).to_dict()
    again = rehearse_here(workspace, SINCE)
    assert again is not None
    assert (again.until, again.steps) == (rehearsed.until, 0)
    assert the_story(workspace.folder).to_dict() == before
    twin = make_workspace(tmp_path / "w", 160)
    rehearse_here(twin, SINCE)
    assert the_story(twin.folder).to_dict() == before


def test_a_workspace_that_really_sends_is_rehearsed_aside_and_its_ledger_is_not_touched(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", 30, kind="mailbox", existing=False)
    place = workspace.folder / "rehearsal"
    for _ in range(2):  # the second time it is made anew
        rehearsed = rehearse_here(workspace, SINCE)
        assert rehearsed is not None
        assert rehearsed.folder == place
    assert open_workspace(place).settings.simulated
    assert the_story(place).funnel.entered == 30
    assert journey_stories(workspace) == []
    assert not (workspace.folder / "ledger").exists()
    assert not (workspace.folder / "channels").exists()


def test_a_folder_that_is_no_rehearsal_is_never_removed(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", 3)
    (workspace.folder / "rehearsal").mkdir()
    (workspace.folder / "rehearsal" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadQuestion, match="is not a rehearsal"):
        rehearse_aside(workspace, SINCE)
    assert (workspace.folder / "rehearsal" / "notes.txt").exists()


def test_without_journeys_there_is_nothing_to_rehearse(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", 3)
    (workspace.folder / "journeys" / "wake.yaml").unlink()
    assert rehearse_here(workspace, SINCE) is None
    with pytest.raises(BadQuestion, match="no journeys to rehearse"):
        rehearse_aside(workspace, SINCE)


def test_the_command_says_what_was_played_and_where_to_look(run: Run, tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", 40)
    words = ("rehearse", "-w", str(workspace.folder), "--as-of", "2026-01-05", "--seed", "3")
    told = run(*words)
    assert told.code == 0, told.err
    assert "11 days were played" in told.out
    assert "Wake up (simulated answers): 40 came in" in told.out.replace("\n", " ")
    assert "aimwell funnel wake -w" in told.out
    again = run(*words, "--json").json
    assert isinstance(again, dict)
    assert again["journeys"]["wake"]["simulated"] is True
    assert again["journeys"]["wake"]["entered"] == 40
    assert run("funnel", "wake", "-w", str(workspace.folder / "rehearsal")).code == 0


@pytest.mark.slow
def test_a_run_with_a_rehearsal_ends_with_the_journey_in_the_report(shop: Path) -> None:
    settings = shop / "aimwell.toml"
    channel = '\n[channels.push]\nkind = "simulated"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + channel, encoding="utf-8")
    journey = JOURNEY.replace("segment: sleepers", "segment: recent, existing: true")
    for name, text in (("journeys/wake.yaml", journey), ("content/offer.yaml", CONTENT)):
        (shop / name).parent.mkdir(exist_ok=True)
        (shop / name).write_text(text, encoding="utf-8")
    left = run_and_report(open_workspace(shop), as_of=None, language="en", rehearsal=True)
    assert [story.name for story in left.journeys] == ["wake"]
    report = left.report.read_text(encoding="utf-8")
    assert "Simulated answers, real customers" in report
    assert "Wake up" in report
    assert left.journeys[0].funnel.entered > 5


@pytest.mark.slow
def test_the_hold_out_finds_the_known_effect_and_none_where_there_is_none(tmp_path: Path) -> None:
    found = []
    for name, effect in (("real", 0.8), ("none", 0.0)):
        workspace = make_workspace(tmp_path / name, 4_000)
        rehearse_aside(workspace, SINCE, shoppers=Shoppers(effect=effect))
        story = the_story(workspace.folder / "rehearsal")
        assert story.lift is not None
        assert story.lift.pending == 0
        found.append(story.lift.proven)
    assert found == [True, False]


DECIDED = """
label: {zh: 按决策, en: As decided}
objective: retention
entry: {segment: sleepers, existing: true}
hold_out: 0%
goal: {order: {event: order_completed}}
within: 2d
start: which
nodes:
  which:
    branch: {cases: [{port: push, if: {attribute: "decision:autumn", is: push}}]}
    to: {push: offer, otherwise: done}
  offer: {send: {channel: push, content: offer}, to: done}
  done: {end: {}}
"""


def test_what_was_decided_last_is_what_journeys_read_in_a_rehearsal(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", 40)
    (workspace.folder / "journeys" / "wake.yaml").write_text(DECIDED, encoding="utf-8")
    before = rehearse_aside(workspace, SINCE)
    assert before.undecided == ("autumn",)
    ids = [f"c{number:05}" for number in range(40)]
    with workspace.warehouse() as warehouse:
        for day, chosen in ((3, "nothing"), (2, "push")):
            rows = pa.table(
                {
                    "decision": ["autumn"] * 40,
                    "as_of": pa.array([(SINCE - timedelta(days=day)).replace(tzinfo=None)] * 40, pa.timestamp("us")),
                    "customer_id": ids,
                    "treatment": [chosen if place < 25 else "nothing" for place in range(40)],
                }
            )
            warehouse.engine.append("decision", rows) if day == 2 else warehouse.engine.write("decision", rows)
    after = rehearse_aside(workspace, SINCE)
    assert after.undecided == ()
    with open_workspace(after.folder).ledger() as ledger, ledger.reading() as connection:
        planned = set(connection.scalars(select(intent.c.customer_id)))
    assert planned == set(ids[:25])
