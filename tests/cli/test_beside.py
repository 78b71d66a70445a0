"""The worker beside a server is started again when it dies, and ends with the server."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from aimwell.cli.beside import kept_running

DYING = "import sys; open(sys.argv[1], 'a').write('x')"
LASTING = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(600)"


def starts(file: Path, least: int) -> int:
    """How often it has been started, as soon as that is often enough."""
    for _ in range(600):
        found = len(file.read_text(encoding="utf-8")) if file.exists() else 0
        if found >= least:
            return found
        time.sleep(0.05)
    return 0


def test_a_worker_that_dies_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "starts"
    with kept_running([sys.executable, "-c", DYING, str(file)], again_after=0.01):
        assert starts(file, 3) >= 3
    assert "the worker ended" in caplog.text


def test_a_worker_that_works_is_ended_with_the_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "starts"
    with kept_running([sys.executable, "-c", LASTING, str(file)]):
        assert starts(file, 1) == 1
    assert starts(file, 1) == 1
    assert caplog.text == ""
