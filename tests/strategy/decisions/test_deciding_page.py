from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from aimwell.core.definitions import parse_definitions
from aimwell.strategy.decisions.deciding import value_name
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.journeys.conditions import Condition, ValueIs

PAGE = Path(__file__).parents[3] / "docs" / "deciding.md"


def test_the_example_of_the_page_is_a_decision_and_its_condition_can_be_read_by_journeys() -> None:
    text = PAGE.read_text(encoding="utf-8")
    example, condition = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    decision = parse_definitions(example, "autumn.yaml", Decision, name="autumn")[0]
    assert set(decision.treatments) == {"voucher", "call"}
    read = TypeAdapter[object](Condition).validate_python(yaml.safe_load(condition))
    assert isinstance(read, ValueIs)
    assert read.value == value_name(decision.name)
