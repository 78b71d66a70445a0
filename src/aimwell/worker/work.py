"""Runs the live loop until it is told to end; a failure is told, waited for and tried again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict

from aimwell.core.errors import AimwellError
from aimwell.store.workspace import Workspace
from aimwell.worker.live import Live, Step
from aimwell.worker.opening import open_live

PAUSE, LONGEST = 0.2, 60.0
"""Seconds to wait when there was nothing to do, and at most after failures in a row."""

_LOG = logging.getLogger(__name__)


def work(
    workspace: Workspace,
    stop: threading.Event,
    *,
    stepped: Callable[[Step], None] = lambda _: None,
    worker: str | None = None,
) -> None:
    """Step until `stop` is set; the step under way is finished.

    A step that fails is logged and tried again, after twice as long each time up to a minute: what its parts had
    committed stays, and what failed is found where it was. Raises what prevents the loop from opening.
    """
    with open_live(workspace, worker=worker) as live:
        failures = 0
        while not stop.is_set():
            done = _try(live)
            if done is None:
                failures += 1
                stop.wait(min(PAUSE * 2**failures, LONGEST))
                continue
            failures = 0
            stepped(done)
            if done.idle:
                stop.wait(PAUSE)


def _try(live: Live) -> Step | None:
    try:
        done = live.step()
    except AimwellError as error:
        _LOG.error("a step failed: %s", error)
        return None
    except Exception:  # noqa: BLE001 (the loop must outlive whatever one step meets; it is logged with its place)
        _LOG.exception("a step failed")
        return None
    if not done.idle:
        _LOG.info("stepped", extra=asdict(done))
    return done
