from __future__ import annotations

import re
from pathlib import Path

from tests.insight.effects.conftest import read

from aimwell.insight.effects import score_key

PAGE = Path(__file__).parents[3] / "docs" / "uplift.md"


def test_the_examples_of_the_page_are_definitions_and_its_names_of_scores_are_right() -> None:
    text = PAGE.read_text(encoding="utf-8")
    coupon, autumn, depths = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert read(coupon).treatment.names == ("hold_out", "ten_off", "twenty_off")
    assert read(autumn, "autumn").treatment.names == ("nothing", "voucher", "call")
    found = read(coupon + depths).depths
    assert found is not None
    assert found.history == ["spring_*"]
    assert text.count(score_key("coupon", "ten_off")) == 2
