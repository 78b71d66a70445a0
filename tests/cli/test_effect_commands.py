"""The whole thread as a company goes it: an experiment in files, learnt, scored, explained, decided upon."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import Run, invoke

PEOPLE = 900
EVE = date(2025, 5, 1)
SOURCES = {
    "orders": """\
read: {path: orders.csv}
tables:
  - table: purchase
    columns: {order_id: order_no, customer_id: customer_id, occurred_at: day, amount: amount}
""",
    "letters": """\
read: {path: letters.csv}
tables:
  - table: touch
    columns: {touch_id: letter, customer_id: customer_id, campaign: campaign, offer_id: arm, occurred_at: day}
""",
}
COUPON = """\
label: {zh: 优惠券效果, en: Effect of the coupon}
treatment: {campaigns: may, control: none, arms: {none: 0.5, coupon: 0.5}}
target: {happens: {purchases: {}}}
horizon_days: 14
features: {include: [days_since_order, spend_84d]}
"""
AUTUMN = """\
audience: {purchases: {}}
hold_out: 0.1
treatments:
  coupon: {channel: mail, cost: 3, gain: {effect: coupon, times: 20}}
  call: {channel: phone, cost: 3, gain: {amount: 1}}
"""
MOVED = """\
label: {zh: 可打动, en: Moved}
kind: value
rule: {score: effects/coupon/coupon, top: 10%}
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the people bought lately; the coupon moves them by .5, drawn by lot for half of everybody."""
    folder = tmp_path_factory.mktemp("company") / "shop"
    assert invoke("init", str(folder), "--name", "Corner shop").code == 0
    chance = np.random.default_rng(11)
    lately, drawn = chance.random(PEOPLE) < 0.5, chance.random(PEOPLE) < 0.5
    bought = chance.random(PEOPLE) < 0.2 + 0.5 * lately * drawn
    orders, letters = ["order_no,customer_id,day,amount"], ["letter,customer_id,campaign,arm,day"]
    for who in range(PEOPLE):
        days = [
            date(2025, 1, 6),
            *([EVE - timedelta(days=3)] * int(lately[who])),
            *([EVE + timedelta(days=4)] * int(bought[who])),
        ]
        orders += [f"{who}-{place},c{who:03d},{day.isoformat()},20.00" for place, day in enumerate(days)]
        letters.append(f"{who},c{who:03d},may,{'coupon' if drawn[who] else 'none'},{EVE.isoformat()}")
    orders.append(f"last,c000,{EVE + timedelta(days=30)},5.00")
    for name, lines in (("orders", orders), ("letters", letters)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "sources" / f"{name}.yaml").write_text(SOURCES[name], encoding="utf-8")
    for place, text in (("effects/coupon", COUPON), ("decisions/autumn", AUTUMN), ("segments/moved", MOVED)):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / f"{place}.yaml").write_text(text, encoding="utf-8")
    assert invoke("-w", str(folder), "source", "load").code == 0
    return folder


def say(folder: Path, *words: str) -> Any:
    said = invoke("-w", str(folder), *words, "--json")
    assert (said.code, said.err) == (0, ""), words
    return json.loads(said.out)


def test_an_experiment_is_learnt_scored_explained_and_decided_upon(company: Path, run: Run) -> None:
    assert run("-w", str(company), "check").code == 0
    trained = say(company, "effect", "train", "coupon")
    assert trained["in_use"] == trained["version"]
    assert trained["card"]["evidence"][0]["differs"]
    assert say(company, "effect", "list")[0]["in_use"] == trained["version"]
    scored = say(company, "effect", "score", "coupon", "--as-of", EVE.isoformat(), "--top", "3", "--arm", "coupon")
    assert scored["people"] == PEOPLE
    assert len(scored["audience"]) == 3
    assert scored["audience"][0]["effect"]["value"] == pytest.approx(0.5, abs=0.2)
    assert scored["audience"][0]["reasons"][0]["column"] in {"days_since_order", "spend_84d"}
    assert say(company, "effect", "refit")[0]["done"] == "not_due"
    assert say(company, "effect", "drift", "coupon", "--before", "2025-04-15")["columns"]
    told = say(company, "effect", "explain", "coupon", "c001", "--as-of", EVE.isoformat())
    assert told[0]["customer_id"] == "c001"
    plan = say(company, "decide", "autumn", "--as-of", EVE.isoformat())["plan"]
    coupon, call = plan["treatments"]
    assert (coupon["basis"], call["basis"]) == ("experiment", "assumed")
    assert 0.4 * PEOPLE < coupon["customers"] < 0.5 * PEOPLE  # the half that it moves, less those held out
    assert call["customers"] == 0
    assert say(company, "segment", "refresh", "moved", "--as-of", EVE.isoformat())[0]["members"] == PEOPLE // 10
    assert [event["action"] for event in say(company, "effect", "life", "coupon")] == ["trained", "promoted"]
    assert say(company, "effect", "promote", "coupon", trained["version"], "--why", "again")["action"] == "promoted"


def test_a_run_learns_scores_and_reports_effects_before_it_decides(company: Path, run: Run) -> None:
    (company / "effects" / "june.yaml").write_text(COUPON.replace("campaigns: may", "campaigns: june"), "utf-8")
    try:
        done = say(company, "run")
        said = run("-w", str(company), "--language", "en", "run").out
    finally:
        (company / "effects" / "june.yaml").unlink()
    assert done["failures"] == {}
    assert done["effects"]["scorings"]["coupon"]["people"] == PEOPLE
    assert list(done["effects"]["waiting"]) == ["june"]
    assert done["decisions"]["autumn"]["treatments"][0]["basis"] == "experiment"
    assert "Effect of the coupon: coupon: average effect +" in said
    assert "Effect of the coupon: Its experiment has no outcome yet: june: no cut-off has its answer" in said
    report = (company / "out" / "report.html").read_text(encoding="utf-8")
    assert 'id="effect_coupon"' in report
    assert "谁需要「coupon」" in report


def test_a_decision_that_names_an_effect_which_is_not_there_is_refused_with_those_there_are(
    company: Path, run: Run
) -> None:
    file = company / "decisions" / "winter.yaml"
    file.write_text(AUTUMN.replace("effect: coupon", "effect: cupon"), encoding="utf-8")
    found = run("-w", str(company), "check")
    file.unlink()
    assert found.code == 2
    assert "decisions/winter.yaml:4: treatments.coupon.gain.effect: there is no effect 'cupon'" in found.err
    assert "did you mean 'coupon'" in found.err


def test_people_read_verdicts_lists_and_plans_in_their_language(company: Path, run: Run) -> None:
    def read(language: str, *words: str) -> str:
        said = run("-w", str(company), "--language", language, *words)
        assert said.code == 0, said.err
        return said.out

    assert "Effects differ between customers" in read("en", "effect", "train", "coupon")
    assert "效果因人而异" in read("zh", "effect", "card", "coupon")
    out = company / "moved.csv"
    listed = read("zh", "effect", "score", "coupon", "--as-of", EVE.isoformat(), "--top", "2", "--out", str(out))
    assert "主要因为" in listed
    assert "版本" in listed
    assert "reason_1" in out.read_text("utf-8").splitlines()[0]
    assert "measured in an experiment" in read("en", "decide", "autumn", "--as-of", EVE.isoformat())
    assert "经实验测得" in read("zh", "decide", "autumn", "--as-of", EVE.isoformat())
    assert "coupon" in read("en", "effect", "list")
    assert "promoted" in read("en", "effect", "life", "coupon")


BAD = [
    ("arms: {none: 0.5, coupon: 0.5}", "arms: {none: 0.5, gift: 0.5}", "Nobody got the arm 'gift'"),
    ("control: none, arms: {none", "control: empty, arms: {empty", "Nobody got the arm 'empty'"),
    ("arms: {none: 0.5, coupon: 0.5}", "arms: {none: 0, coupon: 1}", "certain or impossible"),
    ("campaigns: may", "campaigns: june", "no cut-off has its answer"),
    ("{purchases: {}}", "{purchases: {count: {at_least: 99}}}", "everybody has the same outcome"),
    ("campaigns: may", "arm: creative_id, campaigns: may", "the column touch.creative_id"),
    ("[days_since_order, spend_84d]", "[gender]", "may not depend on these attributes"),
]


@pytest.mark.parametrize(("before", "after", "said"), BAD)
def test_bad_input_ends_with_the_remedy(company: Path, run: Run, before: str, after: str, said: str) -> None:
    file = company / "effects" / "odd.yaml"
    file.write_text(COUPON.replace(before, after), encoding="utf-8")
    found = run("-w", str(company), "effect", "train", "odd", "--json")
    file.unlink()
    assert found.code in {1, 2}
    assert found.out == ""
    error = json.loads(found.err)
    assert said in error["message"]
    assert error["remedy"] or error["problems"]


def test_what_is_not_there_is_named(company: Path, run: Run) -> None:
    assert "no effect 'none'" in run("-w", str(company), "effect", "score", "none").err
    (company / "effects" / "fresh.yaml").write_text(COUPON, encoding="utf-8")
    try:
        assert "aimwell effect train fresh" in run("-w", str(company), "effect", "score", "fresh").err
        assert run("-w", str(company), "effect", "roll-back", "fresh", "--why", "none").code == 2
    finally:
        (company / "effects" / "fresh.yaml").unlink()
