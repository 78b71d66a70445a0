"""Content as people write it: languages and their order, problems with file and line, the published schema."""

from __future__ import annotations

import pytest

from aimwell.content.definition import Content
from aimwell.content.templates import Rendered, render
from aimwell.core.definitions import parse_definitions
from aimwell.core.errors import BadDefinition

WELCOME = """\
label: {zh: 欢迎, en: Welcome}
channel: email
purpose: service
parts:
  zh: {subject: "{{ name }}，您好", text: "欢迎"}
  en: {subject: "Hello {{ name }}", text: "Welcome", html: "<p>{{ name }}</p>"}
"""


def read(text: str) -> Content:
    (content,) = parse_definitions(text, "content/welcome.yaml", Content, name="welcome")
    return content


def test_a_content_is_rendered_in_the_customers_language() -> None:
    content = read(WELCOME)
    rendered = render(content.compiled[content.wording("en-GB", otherwise="zh")], {"name": "<Ann>"})
    assert rendered == Rendered({"subject": "Hello <Ann>", "text": "Welcome", "html": "<p>&lt;Ann&gt;</p>"})
    assert content.escaped == {"html"}


@pytest.mark.parametrize(
    ("language", "expected"), [("zh", "zh"), ("zh_Hant", "zh"), ("EN", "en"), ("fr", "zh"), (None, "zh"), ("", "zh")]
)
def test_an_unknown_language_falls_back_to_the_workspaces(language: str | None, expected: str) -> None:
    assert read(WELCOME).wording(language, otherwise="zh") == expected


def test_the_fallback_goes_before_the_workspace_and_the_wording_for_all_before_it() -> None:
    content = read(WELCOME + "fallback: [en]\n")
    assert content.wording("fr", otherwise="zh") == "en"
    one = read("channel: sms\nparts: {en: {text: hi}, all: {text: hey}}")
    assert one.wording("fr", otherwise="en") == "all"
    assert one.wording("en", otherwise="zh") == "en"
    assert read("channel: sms\nparts: {en: {text: hi}}").wording("zh", otherwise="zh") == "en"


def test_problems_are_told_together_with_line_and_place() -> None:
    with pytest.raises(BadDefinition) as caught:
        read(
            "channel: SMS\nparts:\n  zh:\n    text: |\n      好\n      {{ a | upcse }}{{ b b }}\n"
            "  fr: {text: x}\ncolour: red\n"
        )
    told = {problem.path: problem for problem in caught.value.problems}
    assert told["channel"].line == 1
    assert told["parts.zh.text"].line == 4
    assert "line 2" in told["parts.zh.text"].message
    assert "colour" in told
    assert any(path.startswith("parts.fr") for path in told)


def test_a_language_without_parts_is_a_problem() -> None:
    with pytest.raises(BadDefinition, match="no parts are written for en"):
        read("channel: sms\nparts: {zh: {text: a}, en: {}}")
    with pytest.raises(BadDefinition):
        read("channel: sms\nparts: {}")


def test_every_field_of_the_schema_says_what_it_is() -> None:
    schema = Content.model_json_schema()
    assert all("description" in field for field in schema["properties"].values())
