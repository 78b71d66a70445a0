"""Columns on their way into a model."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from aimwell.core.errors import BadInput, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.encoding import MOST_CATEGORIES, Encoding, learn_encoding


def columns_of(table: pa.Table) -> list[Column]:
    return [Column(name, Text(name, name), "number", Text("", "")) for name in table.column_names]


def test_columns_that_say_nothing_are_left_out_with_the_reason() -> None:
    table = pa.table(
        {
            "constant": [1.0] * 6,
            "empty": pa.array([None] * 6, pa.float64()),
            "same_word": ["a"] * 6,
            "id": [f"x{number}" for number in range(6)],
            "flag_or_unknown": [1.0, None, 1.0, None, 1.0, None],
            "useful": [1, 2, 3, 4, 5, 6],
        }
    )
    found = learn_encoding(table, columns_of(table))
    assert found.names == ("flag_or_unknown", "useful")
    assert {each.name: each.why.en.split()[0] for each in found.dropped} == {
        "constant": "has",
        "empty": "holds",
        "same_word": "has",
        "id": "differs",
    }


def test_nothing_left_is_said_instead_of_learnt() -> None:
    table = pa.table({"constant": [1.0, 1.0]})
    with pytest.raises(NotEnoughData, match="constant has the same value"):
        learn_encoding(table, columns_of(table))


def test_ten_thousand_categories_become_the_frequent_ones_and_a_rest() -> None:
    words = [f"common{number % 3}" for number in range(9_000)] + [f"rare{number}" for number in range(10_000)]
    table = pa.table({"word": words})
    encoding = learn_encoding(table, columns_of(table))
    assert encoding.coded[0].words == ("common0", "common1", "common2")
    matrix = encoding.matrix(table)
    assert set(np.unique(matrix)) == {0.0, 1.0, 2.0, 3.0}


def test_no_more_words_than_fit_get_a_code_of_their_own() -> None:
    table = pa.table({"word": [f"w{number % 500}" for number in range(50_000)]})
    words = learn_encoding(table, columns_of(table)).coded[0].words
    assert words is not None
    assert len(words) == MOST_CATEGORIES


def test_words_never_seen_count_as_the_rest_and_missing_ones_as_unknown() -> None:
    table = pa.table({"word": ["a", "a", "b", "b", "b"]})
    encoding = learn_encoding(table, columns_of(table))
    later = encoding.matrix(pa.table({"word": pa.array(["b", "new", None])}))
    assert later[:2, 0].tolist() == [1.0, 0.0]
    assert np.isnan(later[2, 0])


def test_money_days_and_truth_values_become_numbers() -> None:
    table = pa.table(
        {
            "money": pa.array(["1.50", "2.25"]).cast(pa.decimal128(18, 2)),
            "day": [date(1970, 1, 2), date(1970, 1, 3)],
            "yes": [True, False],
        }
    )
    assert learn_encoding(table, columns_of(table)).matrix(table).tolist() == [[1.5, 1.0, 1.0], [2.25, 2.0, 0.0]]


def test_an_encoding_survives_json_and_names_a_column_that_is_gone() -> None:
    table = pa.table({"word": ["a", "a", "b", "b"], "number": [1.0, 2.0, 3.0, 4.0], "constant": [1, 1, 1, 1]})
    encoding = learn_encoding(table, columns_of(table))
    again = Encoding.from_dict(json.loads(json.dumps(encoding.to_dict())))
    assert again == encoding
    with pytest.raises(BadInput, match="number"):
        again.matrix(table.drop_columns(["number"]))
