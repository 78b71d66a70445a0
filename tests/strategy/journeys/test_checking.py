"""A journey that cannot run is refused with all its problems at once, each with file, line and remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aimwell.core.definitions import parse_definitions, read_yaml
from aimwell.core.errors import BadDefinition
from aimwell.strategy.journeys.checking import Known, Where, check_journey, check_journeys, warn_journey
from aimwell.strategy.journeys.definition import Journey

KNOWN = Known(
    segments={"vip", "new"},
    contents={"hello": "push", "again": "sms"},
    channel_signals={"push": frozenset({"delivered", "opened"}), "sms": frozenset({"delivered"})},
    journeys={"other"},
)
GOOD = """\
objective: activation
entry: {segment: new}
goal: {bought: {event: order}}
within: 30d
start: greet
nodes:
  greet: {send: {channel: push, content: hello}, to: pause}
  pause: {wait: {event: {opened: greet}, at_most: 2d}, to: {happened: done, timeout: text}}
  text: {send: {channel: sms, content: again}, to: done}
  done: {end: {}}
"""


def read(text: str, name: str = "welcome") -> Journey:
    (found,) = parse_definitions(text, f"journeys/{name}.yaml", Journey, name=name)
    return found


def problems(text: str) -> list[str]:
    where = Where("journeys/welcome.yaml", read_yaml(text, "journeys/welcome.yaml"))
    return [str(problem) for problem in check_journey(read(text), KNOWN, where)]


def test_a_journey_that_can_run_has_no_problem() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("start: greet", "start: gret", 5, "there is no node 'gret' (did you mean 'greet'?)"),
        ("to: pause}", "to: pausse}", 7, "there is no node 'pausse' (did you mean 'pause'?)"),
        ("happened: done", "hapened: done", 8, "a wait has no port 'hapened' here (did you mean 'happened'?)"),
        ("happened: done, ", "", 8, "the port 'happened' leads nowhere"),
        ("  done:", "  lost: {end: {}}\n  done:", 10, "nobody can come to this node"),
        ("text}}", "greet}}", 9, "nobody can come to this node"),
        (
            "content: again}, to: done",
            "content: again}, to: pause",
            8,
            "a loop without a wait that is certainly longer",
        ),
        ("opened: greet}", "opened: pause}", 8, "the node 'pause' sends nothing"),
        ("opened: greet}", "opened: grete}", 8, "there is no node 'grete' (did you mean 'greet'?)"),
        ("opened: greet}", "clicked: greet}", 8, "the channel push never reports 'clicked' (it can report delivered"),
        ("opened: greet}", "answered: text}", 8, "the channel sms never reports 'answered'"),
        ("opened: greet}", "segment: vipp}", 8, "there is no segment 'vipp' (did you mean 'vip'?)"),
        ("opened: greet}", "event: login, since: nowhere}", 8, "there is no node 'nowhere'"),
        ("opened: greet}", "task: {node: greet, stage: done}}", 8, "the node 'greet' makes no lead or task"),
        ("segment: new", "segment: newer", 2, "there is no segment 'newer' (did you mean 'new'?)"),
        ("event: order", "not_segment: rich", 3, "there is no segment 'rich'"),
        ("content: hello", "content: helo", 7, "there is no content 'helo' (did you mean 'hello'?)"),
        ("channel: push", "channel: pusj", 7, "there is no channel 'pusj' (did you mean 'push'?)"),
        ("{end: {}}", "{enter: {journey: othr}, to: text}", 10, "there is no journey 'othr' (did you mean 'other'?)"),
        ("{end: {}}", "{enter: {journey: welcome}, to: text}", 10, "a journey does not enter itself"),
        ("{end: {}}", "{wait: {for: 1d}, to: done}", 7, "from here no end is reached"),
        ("{end: {}}", "{split: {weights: {a: 0, b: 0}}, to: {a: text, b: text}}", 10, "all weights are 0"),
        ("{end: {}}", "{split: {weights: {a: -1, b: 2}}, to: {a: text, b: text}}", 10, "a weight is negative"),
    ],
)
def test_each_mistake_is_found_at_its_line_with_a_remedy(before: str, after: str, line: int, said: str) -> None:
    assert before in GOOD
    found = problems(GOOD.replace(before, after, 1))
    assert [each for each in found if f"welcome.yaml:{line}:" in each and said in each], found


def test_all_problems_come_together_in_the_order_of_lines() -> None:
    found = problems(GOOD.replace("segment: new", "segment: nex").replace("hello", "helo").replace("again", "agin"))
    assert [int(each.split(":")[1]) for each in found] == [2, 7, 9]


def test_a_chain_needs_channels_that_can_report_an_answer() -> None:
    chain = "{chain: {channels: [{channel: push, content: hello}, {channel: sms, content: again}], within: 1d}"
    found = problems(GOOD.replace("{end: {}}", f"{chain}, to: {{answered: text, unanswered: text}}}}"))
    assert [each for each in found if "the channel sms never reports" in each and "it can report delivered" in each]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("goal: {bought: {event: order}}\n", "", "goal"),
        ("{bought: {event: order}}", "{}", "without a goal nothing can be measured"),
        ("{end: {}}", "{finish: {}}", "unknown key 'finish'"),
        ("at_most: 2d", "atmost: 2d", "did you mean 'at_most'"),
        ("within: 30d", "within: 30d\nhold_out: 5000", "expected a share of those who come in"),
        ("  done:", "  Done!: {end: {}}\n  done:", "Done!"),
        ("{end: {}}", "{score: {name: points, add: 0}, to: text}", "something other than 0"),
        ("{end: {}}", "{tag: {name: a, value: b, clear: true}, to: text}", "either a value or clear"),
    ],
)
def test_what_cannot_even_be_read_says_so_with_its_line(before: str, after: str, said: str) -> None:
    with pytest.raises(BadDefinition) as refused:
        read(GOOD.replace(before, after, 1))
    assert said in str(refused.value)


def test_a_journey_without_a_hold_out_is_warned_of_but_not_refused() -> None:
    without = read(GOOD + "hold_out: 0%\n")
    assert check_journey(without, KNOWN) == []
    (warning,) = warn_journey(without)
    assert "without a hold-out" in warning.message
    assert warn_journey(read(GOOD)) == []


@pytest.mark.parametrize(
    ("entry", "rest", "warned"),
    [
        ("{event: order}", "", ["goal.bought"]),
        ("[{segment: new}, {event: order}]", "", ["goal.bought"]),
        ("{event: {name: order, where: {big: true}}}", "", ["goal.bought"]),
        ("{event: {name: order, where: {big: true}}}", "where: {big: true}", ["goal.bought"]),
        ("{event: order}", "where: {big: true}", []),
        ("{event: {name: order, where: {big: false}}}", "where: {big: true}", []),
        ("{event: looked}", "", []),
        ("{segment: new}", "exits: {gone: {segment: new}}", ["exits.gone"]),
        ('{schedule: {time: "09:00", segment: vip}}', "exits: {gone: {segment: vip}}", ["exits.gone"]),
        ("{segment: new}", "exits: {gone: {not_segment: new}}", []),
        ("{event: left}", "exits: {gone: {event: left, since: greet}}", []),
    ],
)
def test_a_goal_or_exit_rule_that_holds_on_entry_is_warned_of(entry: str, rest: str, warned: list[str]) -> None:
    text = GOOD.replace("{segment: new}", entry)
    if rest.startswith("where"):
        text = text.replace("{event: order}}", f"{{event: {{name: order, {rest}}}}}}}")
    elif rest:
        text += rest + "\n"
    assert check_journey(read(text), KNOWN) == []
    assert [each.path for each in warn_journey(read(text))] == warned


def test_a_content_written_for_another_channel_is_warned_of_or_refused_if_it_cannot_fit() -> None:
    crossed = read(GOOD.replace("content: again", "content: hello"))
    (warning,) = warn_journey(crossed, known=KNOWN)
    assert warning.message == "the content 'hello' is written for push and goes out by sms"
    (problem,) = check_journey(crossed, replace(KNOWN, unfit={("hello", "sms"): ["sms takes no part 'title'"]}))
    assert problem.message == "the content 'hello' cannot go out by sms: sms takes no part 'title'"
    assert problem.path == "nodes.text.send"


def test_journeys_that_lead_into_each_other_at_once_and_for_ever_are_refused() -> None:
    def entering(name: str, other: str, rest: str) -> Journey:
        text = GOOD.replace("to: pause}", "to: go}")
        return read(text.replace("  done:", f"  go: {{enter: {{journey: {other}}}, to: pause}}\n  done:") + rest, name)

    there = {name: entering(name, other, "re_entry: always\n") for name, other in (("one", "two"), ("two", "one"))}
    found = check_journeys(there, Known(), {})
    assert [each.file for each in found] == ["journeys/one", "journeys/two"]
    assert "lead into each other without a wait" in found[0].message
    assert check_journeys({**there, "two": entering("two", "one", "")}, Known(), {}) == []
