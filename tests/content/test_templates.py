"""Templates: what a person lacks, what a person's values may be, limits, and problems told all at once."""

from __future__ import annotations

import contextlib
import re
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from aimwell.content.checking import Use
from aimwell.content.sandbox import LONGEST_OUTPUT
from aimwell.content.templates import Failed, Rendered, compile_content, render
from aimwell.core.errors import BadDefinition


def said(template: str, part: str = "text", **person: Any) -> str:
    rendered = render(compile_content({part: template}), person)
    assert isinstance(rendered, Rendered), rendered
    return rendered.parts[part]


def failure(template: str, **person: object) -> str:
    rendered = render(compile_content({"text": template}), person)
    assert isinstance(rendered, Failed), rendered
    assert rendered.reason == "template_error"
    return rendered.detail


def problems(template: str) -> list[tuple[int | None, str]]:
    with pytest.raises(BadDefinition) as caught:
        compile_content({"text": template})
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_a_value_is_filled_in_its_place() -> None:
    assert said("{{ name }} 您好，{{ offer.title | upcase }}", name="安", offer={"title": "gift"}) == "安 您好，GIFT"


def test_a_missing_value_fails_this_person_and_names_part_line_and_value() -> None:
    assert failure("Hi\n{{ name }}") == "text, line 2: 'name' is undefined"
    assert "'offer.title' is undefined" in failure("{{ offer.title }}", offer={}).replace(
        "offer.title is", "'offer.title' is"
    )


@pytest.mark.parametrize("nothing", [{}, {"name": None}, {"name": ""}])
def test_a_default_stands_in_for_what_is_not_known(nothing: dict[str, Any]) -> None:
    assert said("Hi {{ name | default: 'friend' }}", **nothing) == "Hi friend"


def test_nothing_and_blanks_count_as_missing() -> None:
    assert "name" in failure("Hi {{ name }}", name=" ")
    assert (
        said("{% if name %}Dear {{ name }}{% else %}Hello{% endif %}{% assign gap = '' %}{{ gap }}", name="") == "Hello"
    )
    assert "name" in failure("Hi {{ name }}", name=None)
    assert "missing" in failure("Hi {{ offer.title }}", offer={"title": None})


def test_a_condition_may_ask_whether_a_value_is_known() -> None:
    template = "{% if city %}in {{ city }}{% else %}near you{% endif %}{% if vip == true %}!{% endif %}"
    assert said(template) == "near you"
    assert said(template, city="Paris", vip=True) == "in Paris!"


def test_what_is_missing_is_false_in_every_condition() -> None:
    template = "{% if points > 3 or name contains 'x' or city == 'Y' %}many{% else %}few{% endif %}"
    assert said(template) == "few"
    assert said(template, points=4) == "many"


def test_values_are_escaped_in_html_and_left_alone_in_text() -> None:
    assert said("<b>{{ name }}</b>", "html", name="<script>&'") == "<b>&lt;script&gt;&amp;&#39;</b>"
    assert said("<b>{{ name }}</b>", name="<i>") == "<b><i></b>"


def test_no_value_and_no_filter_gets_round_the_escaping() -> None:
    assert "<i>" not in said("{{ name }}", "html", name=Markup("<i>x</i>"))
    assert "<i>" not in said("{{ names | join: ' ' }}", "html", names=[Markup("<i>"), "<i>"])
    assert "<i>" not in said("{% assign a = name %}{{ a | escape_once }}{{ a | append: a }}", "html", name="&lt;i><i>")
    assert problems("{{ name | safe }}") == [(1, "there is no filter 'safe'")]


def test_a_value_is_never_run_as_a_template() -> None:
    attack = "{{ secret }}{% assign x = 1 %}{% for i in (1..9) %}x{% endfor %}"
    assert said("{{ name }}{{ name | append: name }}", name=attack, secret="42") == attack * 3


@pytest.mark.parametrize("part", ["subject", "title", "sender_name", "unsubscribe"])
def test_a_line_stays_one_line_whatever_the_value_holds(part: str) -> None:
    text = said("Hi {{ name }}\n", part, name="Ann\r\nBcc: all@x.org\x85\u2028\x0bY\x00")
    assert text == "Hi Ann Bcc: all@x.org Y" or text == "Hi Ann Bcc: all@x.orgY"
    assert len(text.splitlines()) == 1


def test_variables_are_told_with_whether_the_text_can_do_without() -> None:
    text = (
        "{% if city %}\n{{ city }}{% endif %}{% assign mine = offer.title %}{{ mine }}\n{{ name | default: '' }}"
        "{% for one in basket %}{{ one.name }}{{ forloop.index }}{% endfor %}{% if vip or points > 3 %}!{% endif %}"
    )
    assert compile_content({"subject": "{{ name | default: 'x' }}", "text": text}).variables == (
        Use("basket", False, 3),
        Use("city", False, 1),
        Use("name", True, 1),
        Use("offer", False, 2),
        Use("points", True, 3),
        Use("vip", True, 3),
    )


def test_all_problems_are_told_with_part_and_line() -> None:
    with pytest.raises(BadDefinition) as caught:
        compile_content(
            {"subject": "{{ a | upcse }}", "text": "a\n{{ | }}\n{{ b | lowcase }}\n{{ c c }}"}, file="w.yaml"
        )
    found = [(problem.file, problem.path, problem.line) for problem in caught.value.problems]
    assert found == [("w.yaml", "subject", 1), ("w.yaml", "text", 2), ("w.yaml", "text", 3), ("w.yaml", "text", 4)]
    assert "did you mean 'upcase'?" in str(caught.value)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% include 'a' %}", "include"),
        ("{% render 'a' %}", "render"),
        ("{% if a %}", "endif|if"),
        ("{{ a", "."),
        ("{% break %}", "outside of a loop"),
        ("{{ 'now' | date: '%Y' }}", "no clock"),
        ("{% for i in (1..n) %}{% endfor %}", "range"),
        ("{% for i in (1..1000000000) reversed %}{% endfor %}", "range"),
        ("{% if a %}" * 40 + "{% endif %}" * 40, "nest|depth|limit"),
        ("x" * 200_001, "longer"),
    ],
)
def test_what_cannot_work_is_refused_before_anybody_is_written_to(template: str, message: str) -> None:
    (found,) = problems(template)[:1]
    assert re.search(message, found[1]), found


def test_there_is_no_clock() -> None:
    assert "now" in failure("{{ now }}")
    failure("{{ day | date: '%Y' }}", day="now")
    failure("{{ day | date: '%Y' }}", day="today")


def test_dates_are_written_in_the_shape_asked_for() -> None:
    assert said("{{ d | date: '%Y-%m-%d' }}", d=date(2026, 3, 1)) == "2026-03-01"
    assert said("{{ d | date: '%d.%m. %H:%M' }}", d=datetime(2026, 3, 1, 8, 5)) == "01.03. 08:05"
    assert said("{{ d | date: '%Y年' }}", d="2026-03-01T10:00:00") == "2026年"
    assert said("{{ d | date: '%Y' }}", d=0) == "1970"
    assert said("{{ d | date: '%Y' | default: 'soon' }}") == "soon"
    failure("{{ d | date: f }}", d=0, f="%999999999d")
    failure("{{ d | date: '%Y' }}", d=10**18)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in list %}{% for b in list %}{% for c in list %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% assign t = text %}{% for a in list %}{% assign t = t | append: t %}{% endfor %}{{ t }}",
        "{% capture t %}{{ text }}{{ text }}{% endcapture %}" + "{% capture t %}{{ t }}{{ t }}{% endcapture %}" * 30,
        "{{ text | replace: '', text }}",
        "{{ text | replace: 'a', text | replace: 'a', text }}",
        "{{ list | join: text }}",
        "{{ text | split: '' | uniq | size }}",
        "{% assign n = 9 %}{% for a in list %}{% assign n = n | times: n %}{% endfor %}{{ n }}",
        "{% for a in list %}{{ text }}{% endfor %}",
        "{{ huge }}",
        "{{ long }}",
        "{{ deep }}",
        "{{ many }}",
        "{{ infinite }}",
    ],
)
def test_what_would_grow_without_end_is_cut_off_quickly(template: str) -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    begun = time.perf_counter()
    failure(
        template,
        text="a" * 9_000,
        list=list(range(900)),
        huge=10**5000,
        long="x" * 10_001,
        deep=deep,
        many=[0] * 1_001,
        infinite=float("inf"),
    )
    assert time.perf_counter() - begun < 1.5


def test_output_is_limited() -> None:
    assert f"{LONGEST_OUTPUT:,}" in failure(
        "{% for a in list %}{{ text }}{% endfor %}", text="a" * 9_000, list=[0] * 900
    )


def test_a_loop_over_a_few_things_works() -> None:
    basket = [{"name": "tea", "price": Decimal("3.50")}, {"name": "cup", "price": 4.0}]
    template = (
        "{% for one in basket %}{{ forloop.index }}. {{ one.name }} {{ one.price }}"
        "{% unless forloop.last %}; {% endunless %}{% endfor %}"
    )
    assert said(template, basket=basket) == "1. tea 3.50; 2. cup 4.0"


class Strange:
    def __str__(self) -> str:
        raise RuntimeError("never asked")


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters(), max_size=30)
    | st.datetimes()
    | st.binary(max_size=5)
    | st.builds(Strange)
    | st.sampled_from(["{{ a }}", "{% raw %}", "now", "<b>", "\ud800", "\x00", "a" * 20_000, Markup("<i>"), 10**400]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
OUTPUTS = [
    "{{ a }}",
    "{{ a.b }}{{ a[0] }}{{ a[b] }}{{ a.size }}{{ a.first }}",
    "{{ a | default: b }}",
    "{% for x in a %}{{ x }}{% for y in x %}{{ y }}{% endfor %}{% endfor %}",
    "{{ a | date: b }}",
    "{{ a | split: b | sort | uniq | join: b }}",
    "{% if a > b or a contains b %}1{% endif %}",
    "{{ a | times: b }}",
    "{{ a | slice: b }}{{ a | truncate: b }}",
    "{% case a %}{% when b %}x{% else %}y{% endcase %}",
    "{{ a | replace: b, a }}",
    "{{ a | map: b }}{{ a | where: b }}",
    "{% for x in a limit: b %}{{ x }}{% endfor %}",
    "{{ a | newline_to_br | url_encode }}",
    "{{ a | sum }}{{ a | round: b }}",
    "{{ a | divided_by: b | modulo: b }}{% cycle a, b %}",
    "{{ a | concat: b | reverse }}",
]
TEMPLATES = [compile_content({"subject": output, "text": output, "html": output}) for output in OUTPUTS]


@settings(max_examples=300, deadline=1_000)
@given(a=ANYTHING, b=ANYTHING, which=st.integers(0, len(TEMPLATES) - 1))
def test_no_value_of_a_person_makes_rendering_raise_or_break_a_line(a: object, b: object, which: int) -> None:
    result = render(TEMPLATES[which], {"a": a, "b": b})
    if isinstance(result, Rendered):
        assert len(result.parts["subject"].splitlines()) <= 1
        for text in result.parts.values():
            assert "\x00" not in text
            text.encode("utf-8")
    else:
        assert result.detail
        assert "RuntimeError" not in result.detail


@settings(max_examples=200, deadline=1_000)
@given(value=st.text(max_size=60))
def test_in_html_a_value_adds_no_markup(value: str) -> None:
    text = said('<p title="{{ v }}">{{ v }}</p>', "html", v=f"x{value}")
    assert text.count("<") == 2
    assert text.count('"') == 2


PIECES = [*"{}%|.ab '\":,()[]0\n", "{{ ", " }}", "{% ", " %}", "if ", "endif ", "for x in ", "endfor ", "assign "]


@settings(max_examples=150, deadline=2_000)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_no_template_makes_compiling_raise_anything_but_its_problems(source: str) -> None:
    with contextlib.suppress(BadDefinition):
        render(compile_content({"text": source}), {"a": 1, "b": "x"})


def test_rendering_twice_gives_the_same() -> None:
    compiled = compile_content({"text": "{% assign n = 1 %}{% cycle 'a', 'b' %}{{ n }}{{ name }}"})
    assert render(compiled, {"name": "x"}) == render(compiled, {"name": "x"})
