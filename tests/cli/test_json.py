"""With `--json` every command prints JSON and nothing else: the result on standard output, or the error beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from typer.core import TyperGroup
from typer.main import get_command

from aimwell.cli.main import build

COMES = """\
label: {zh: 会来, en: Comes}
kind: happens
population: {purchases: {within: 90d}}
target: {happens: {purchases: {}}}
horizon_days: 28
cut_offs: {count: 2, every_days: 28}
features: {include: [days_since_order, spend_84d]}
model: {trees: {bags: 1, rounds: 5}, folds: 2}
minimum_positives: 5
"""
GROUPS = """\
label: {zh: 组, en: Groups}
features: [spend_84d, largest_order_84d]
method: kmeans
groups: 2
"""
JOURNEY = """\
objective: retention
entry: {segment: recent, existing: true}
goal: {came: {event: came}}
within: 10d
start: hello
nodes:
  hello: {send: {channel: mailbox, content: hello}, to: done}
  done: {end: {}}
"""
DECISION = """\
audience: {purchases: {within: 90d}}
budget: 20
explore: 0.1
cells: {stage: value_tier, value: value_tier, give: {"*": {"*": nothing}}}
treatments:
  letter: {channel: mail, offer: ten_off, cost: 1, gain: {tag: spend_84d, times: 0.01, error: 0.3}}
"""
CONTENT = "{channel: mailbox, parts: {all: {subject: Hello, text: Hello}}}\n"

# A whole story, in an order in which each has what it needs; the last words stand for the version that was trained.
STORY = [
    "check",
    "schema segment",
    "source list",
    "source check orders.csv",
    "source load",
    "source load",
    "source rejects",
    "tags",
    "profile",
    "explain c1",
    "prediction list",
    "prediction backtest comes",
    "prediction train comes",
    "prediction score comes --top 2",
    "prediction explain comes c1",
    "prediction card comes",
    "prediction life comes",
    "prediction drift comes --before 2025-05-01",
    "prediction refit comes",
    "prediction promote comes VERSION --why again",
    "effect list",
    "clustering fit groups",
    "clustering show groups",
    "clustering assign groups",
    "recommend list",
    "decide hello --as-of 2025-06-01",
    "decide hello --as-of 2025-06-01 --activate",
    "decide hello --afterwards 2025-06-20",
    "judge hello --beside hello --as-of 2025-06-30",
    "segment list",
    "segment refresh",
    "contribution --margin-percent 30",
    "value c1",
    "segment members recent",
    "segment different recent",
    "segment overlap",
    "run",
    "journey check",
    "plan",
    "apply --yes",
    "journey list",
    "journey show hello",
    "pause hello",
    "resume hello",
    "funnel hello",
    "why c1 hello",
    "outbox list",
    "suppression add ann@example.com",
    "suppression list",
    "suppression release ann@example.com",
    "ledger back-up copy",
    "key site",
    "rehearse",
    "simulate --customers 120 --days 15 --regime random_response",
    "stop hello --yes",
]
LASTING = {"serve", "work"}  # run until they are told to end: see test_serving
REFUSED = [
    "init .",
    "demo --folder orders.csv",
    "rehearse",
    "simulate --regime nobody",
    "prediction roll-back nobody --why none",
    "prediction train nobody",
    "prediction stages nobody",
    "effect train nobody",
    "effect refit nobody",
    "effect drift nobody --before 2025-05-01",
    "effect card nobody",
    "effect score nobody",
    "effect depths nobody",
    "effect explain nobody c1",
    "effect life nobody",
    "effect promote nobody v1 --why none",
    "effect roll-back nobody --why none",
    "clustering fit nobody",
    "recommend make nobody",
    "recommend evaluate nobody",
    "decide nobody",
    "judge nobody",
    "contribution --segment nobody",
    "value nobody",
    "segment members nobody",
    "segment refresh nobody",
    "source load nobody",
    "source rejects nobody",
    "explain nobody",
    "schema nobody",
    "profile --as-of never",
    "journey migrate nobody 1 2",
    "funnel nobody",
    "outbox revive nobody",
    "outbox resolve nobody --as retry",
    "suppression add nobody",
    "ledger move NOWHERE",
]


def commands(group: object, before: str = "") -> list[str]:
    if not isinstance(group, TyperGroup):
        return [before.strip()]
    return [name for word, each in group.commands.items() for name in commands(each, f"{before} {word}")]


def test_the_stories_below_know_every_command() -> None:
    told = [*STORY, *REFUSED, *LASTING]
    assert [
        name for name in commands(get_command(build())) if not any(f"{each} ".startswith(f"{name} ") for each in told)
    ] == []


@pytest.mark.slow
def test_every_command_prints_json_and_nothing_else(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    (shop / "predictions" / "comes.yaml").write_text(COMES, encoding="utf-8")
    (shop / "clusterings" / "groups.yaml").write_text(GROUPS, encoding="utf-8")
    for folder, text in (("journeys", JOURNEY), ("content", CONTENT), ("decisions", DECISION)):
        (shop / folder).mkdir(exist_ok=True)
        (shop / folder / "hello.yaml").write_text(text, encoding="utf-8")
    version = ""
    for words in STORY:
        said = run(*words.replace("VERSION", version).split(), "--json")
        assert (said.code, said.err) == (0, ""), words
        found = json.loads(said.out)
        version = found["version"] if words == "prediction train comes" else version


@pytest.mark.parametrize("words", REFUSED)
def test_refusals_are_json_beside_an_empty_output(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.chdir(shop)
    said = run(*words.split(), "--json")
    assert said.code in {1, 2}
    assert said.out == ""
    assert set(json.loads(said.err)) >= {"error", "message", "remedy"}
