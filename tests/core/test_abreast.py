"""Pieces of work side by side: in order, and an error of one ends all."""

from __future__ import annotations

import threading

import pytest

from aimwell.core import abreast as module
from aimwell.core.abreast import abreast


@pytest.mark.parametrize("cores", [1, 3])
def test_what_is_made_stands_in_the_order_of_the_pieces(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(module, "cores", lambda: cores)
    later = threading.Event()

    def make(piece: int) -> int:
        if cores > 1 and piece == 0:
            assert later.wait(5)  # the first ends last
        later.set()
        return piece * 10

    assert abreast(make, range(3)) == [0, 10, 20]


@pytest.mark.parametrize("cores", [1, 3])
def test_the_error_of_a_piece_is_raised(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(module, "cores", lambda: cores)
    with pytest.raises(ZeroDivisionError):
        abreast(lambda piece: 1 // piece, [1, 0, 2])
