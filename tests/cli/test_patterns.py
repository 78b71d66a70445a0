"""Files that are named one by one become the pattern that a source reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.cli.patterns import one_pattern
from aimwell.core.errors import BadQuestion


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A workspace `w` beside a folder of daily files, and a file of its own."""
    for name in ("daily/day_2024-01-30.csv", "daily/day_2024-01-31.csv", "daily/notes.txt", "w/own.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


DAYS = ["daily/day_2024-01-30.csv", "daily/day_2024-01-31.csv"]


def test_what_a_shell_wrote_out_is_gathered_again_and_takes_in_the_files_to_come(here: Path) -> None:
    assert one_pattern(DAYS, here, here) == "daily/day_*.csv"
    (here / "daily/day_1999-12-31.csv").touch()
    assert one_pattern(DAYS, here, here) == "daily/day_2024-01-3*.csv"


def test_a_path_counts_from_where_it_was_typed_and_else_from_the_workspace(here: Path) -> None:
    workspace = here / "w"
    assert one_pattern(["daily/*.csv"], workspace, here) == "../daily/*.csv"
    assert one_pattern(DAYS, workspace, here) == "../daily/day_*.csv"
    assert one_pattern(["own.csv"], workspace, here) == "own.csv"
    assert one_pattern(["own.csv"], workspace, workspace) == "own.csv"
    assert one_pattern([str(here / "daily/*.csv")], workspace, here) == str(here / "daily/*.csv")
    assert one_pattern([str(here / day) for day in DAYS], workspace, here) == str(here / "daily/day_*.csv")


@pytest.mark.parametrize(
    "paths", [[DAYS[0], "w/own.csv"], ["daily/day_2024-01-30.csv", "daily/notes.txt"], [DAYS[0], "daily/gone.csv"]]
)
def test_files_of_several_kinds_are_refused(here: Path, paths: list[str]) -> None:
    with pytest.raises(BadQuestion, match="no single pattern"):
        one_pattern(paths, here, here)
