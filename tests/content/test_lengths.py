"""A template is never counted as longer than what anybody reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimwell.content.lengths import shortest
from aimwell.content.templates import Rendered, compile_content, render

PIECES = st.sampled_from(
    [
        "Hello ",
        "再见",
        "  ",
        "{{ name }}",
        "{{- name -}}",
        "{% if vip %}gold{% else %}tin{% endif %}",
        "{% for i in (1..2) %}x{% if vip %}y{% endif %}{% endfor %}",
        "{%- assign a = 1 -%}",
        "\n",
    ]
)


@given(st.lists(PIECES, max_size=8), st.sampled_from(["A", "Ann Lee"]), st.booleans())
def test_nobody_reads_less_than_the_shortest(pieces: list[str], name: str, vip: bool) -> None:
    source = "".join([*pieces, "."])
    read = render(compile_content({"text": source}), {"name": name, "vip": vip})
    assert isinstance(read, Rendered)
    assert shortest(source) <= len(read.parts["text"])


@pytest.mark.parametrize(("source", "length"), [("八折优惠", 4), ("a\n\n b", 3), ("{% if a %}long{% endif %}", 0)])
def test_plain_words_count_by_the_character(source: str, length: int) -> None:
    assert shortest(source) == length
