"""The canonical tables are consistent with themselves."""

from __future__ import annotations

import pytest

from aimwell.core.tables import TABLES, Table, table


@pytest.mark.parametrize("declared", TABLES.values(), ids=lambda declared: declared.name)
def test_keys_clocks_and_references_name_columns_that_exist(declared: Table) -> None:
    named = {*declared.key, *declared.required, *declared.masked, *declared.references, declared.known}
    if declared.occurred:
        named.add(declared.occurred)
    assert named <= set(declared.names)
    assert set(declared.references.values()) <= set(TABLES)
    assert len(set(declared.names)) == len(declared.names)


@pytest.mark.parametrize("declared", TABLES.values(), ids=lambda declared: declared.name)
def test_every_fact_says_when_it_occurred(declared: Table) -> None:
    assert (declared.shape == "state") == (declared.occurred is None)


def test_an_unknown_table_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="purchase"):
        table("orders")
