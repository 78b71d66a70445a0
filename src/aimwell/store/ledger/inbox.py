"""The inbox: messages are kept durably, each once, before anybody is told that they were accepted.

One writer thread takes everything that waits and commits it in one transaction (group commit): the disk is asked once
for a whole group, and who sent a message hears of it only after that. A message whose id is in the inbox already is a
duplicate. Ids are remembered for as long as their messages are kept: at least for the window (30 days unless set
otherwise), and longer where `prune` is not run or a consumer has not read yet.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy.exc import DataError, SQLAlchemyError

from aimwell.core.errors import AimwellError, BadInput, BadQuestion, Unavailable
from aimwell.store.intake.messages import Message
from aimwell.store.intake.rejections import Rejected
from aimwell.store.ledger.arrivals import Pruned, keep_messages, keep_refused, prune_chunk
from aimwell.store.ledger.ledger import Ledger

WINDOW = timedelta(days=30)
"""For how long a message id is remembered at least. Official libraries repeat for hours, queues on phones for days."""

CAPACITY_MESSAGES = 20_000
"""Messages that may wait to be committed: about a second's worth."""

CAPACITY_CHARACTERS = 64 * 1024 * 1024
"""Characters of content that may wait to be committed, so that large messages cannot fill the memory."""

GROUP_MESSAGES = 2_500
"""Messages after which a group is closed: one commit then takes some 30 ms, which is how long the next ones wait."""

PRUNED_AT_ONCE = 5_000
"""Rows that one transaction of pruning removes, so that arrivals hardly wait for it."""

_logger = logging.getLogger(__name__)


class InboxFull(Unavailable):
    """More messages wait to be committed than it holds; none of the new ones was taken, send them again later."""


class NotKept(Unavailable):
    """The database could not keep the messages; nothing was acknowledged, send them again later."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one request brings: messages in their order, what was refused, and by which write key it came.

    source: name of the write key.   trusted: whether that key is a secret, so that what it says of people is verified.
    """

    source: str
    trusted: bool
    received_at: datetime
    messages: Sequence[Message]
    refused: Sequence[Rejected] = ()

    @property
    def weight(self) -> int:
        """Characters of content, what each row costs besides included."""
        kept = sum(
            200 + len(m.properties) + len(m.traits) + len(m.context) + len(m.integrations) for m in self.messages
        )
        return kept + sum(200 + len(rejected.content) for rejected in self.refused)


Verdicts = tuple[bool, ...]
"""For each message of an arrival, in order: whether it is new (else it is a duplicate)."""


@dataclass(frozen=True, slots=True)
class Load:
    """How the inbox stands: what waits, and what its commits took since it was started."""

    waiting: int
    commits: int
    failures: int
    commit_seconds: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    arrival: Arrival
    weight: int
    future: Future[Verdicts]

    @property
    def size(self) -> int:
        return len(self.arrival.messages) + len(self.arrival.refused)


class Inbox:
    """Takes arrivals from any thread and commits them in groups; use it as a context manager.

    capacity: messages that may wait; above it `submit` raises InboxFull.
    """

    def __init__(self, ledger: Ledger, *, window: timedelta = WINDOW, capacity: int = CAPACITY_MESSAGES) -> None:
        if window <= timedelta(0) or capacity < 1:
            raise BadQuestion("The inbox needs a window and a capacity above zero", seen=f"{window}, {capacity}")
        self.window = window
        self._ledger = ledger
        self._capacity = capacity
        self._queue: deque[_Waiting] = deque()
        self._condition = threading.Condition()
        self._waiting = self._characters = 0
        self._open = False
        self._writer: threading.Thread | None = None
        self._commits = self._failures = 0
        self._seconds = 0.0

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    @property
    def load(self) -> Load:
        with self._condition:
            return Load(self._waiting, self._commits, self._failures, self._seconds)

    def start(self) -> None:
        """Begin to take messages."""
        with self._condition:
            if self._open:
                raise BadQuestion("The inbox is started already")
            self._open = True
        self._writer = threading.Thread(target=self._write, name="aimwell-inbox")
        self._writer.start()

    def stop(self) -> None:
        """Take nothing more, commit what waits, and return when that is done."""
        with self._condition:
            self._open = False
            self._condition.notify_all()
        if self._writer:
            self._writer.join()
            self._writer = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def submit(self, arrival: Arrival) -> Future[Verdicts]:
        """Queue what arrived; the future has its verdicts after the commit, or NotKept if there was none.

        An arrival without content is a question whether the database can be written.
        An arrival is committed whole or not at all. A future that is cancelled while it waits is not committed.
        Raises InboxFull when too much waits, NotKept when the inbox is not running; then nothing was taken.
        """
        waiting = _Waiting(arrival, arrival.weight, Future())
        with self._condition:
            if not self._open:
                raise NotKept("The inbox is not running", remedy="Send the messages again later.")
            # what is larger than the whole queue is taken when nothing else waits
            full = (
                self._waiting + waiting.size > self._capacity or self._characters + waiting.weight > CAPACITY_CHARACTERS
            )
            if full and self._waiting:
                raise InboxFull(
                    "The inbox is full", seen=f"{self._waiting} messages wait", remedy="Send the messages again later."
                )
            self._queue.append(waiting)
            self._waiting += waiting.size
            self._characters += waiting.weight
            self._condition.notify_all()
        return waiting.future

    def prune(self, now: datetime, *, read_up_to: int) -> Pruned:
        """Remove what is older than the window and has been read by everyone; returns how many rows went.

        now: aware.   read_up_to: the smallest cursor of all consumers; messages after it are never removed.
        What was refused goes by age alone. A few rows at a time, so that arrivals hardly wait.
        """
        before = now - self.window
        whole = Pruned(0, 0)
        while True:
            with self._ledger.writing_events() as connection:
                gone = prune_chunk(connection, before, read_up_to=read_up_to, limit=PRUNED_AT_ONCE)
            whole = Pruned(whole.messages + gone.messages, whole.refused + gone.refused)
            if max(gone.messages, gone.refused) < PRUNED_AT_ONCE:
                return whole

    def _write(self) -> None:
        while group := self._next_group():
            self._settle(group)

    def _next_group(self) -> list[_Waiting]:
        """All that waits, up to the size of a group; empty when the inbox was stopped and nothing is left."""
        group: list[_Waiting] = []
        with self._condition:
            self._condition.wait_for(lambda: self._queue or not self._open)
            size = 0
            while self._queue and (not group or size + self._queue[0].size <= GROUP_MESSAGES):
                waiting = self._queue.popleft()
                group.append(waiting)
                size += waiting.size
        return group

    def _settle(self, group: Sequence[_Waiting]) -> None:
        """Commit a group, tell each submitter, and only then make room for others."""
        running = [waiting for waiting in group if waiting.future.set_running_or_notify_cancel()]
        began = time.perf_counter()
        try:
            self._commit(running)
        except (SQLAlchemyError, AimwellError) as error:
            self._fail(running, error)
        except Exception as error:  # whatever happens, the thread must live and every submitter must hear of it
            _logger.exception("the writer of the inbox met an error of its own")
            self._fail(running, error)
        finally:
            with self._condition:
                self._waiting -= sum(waiting.size for waiting in group)
                self._characters -= sum(waiting.weight for waiting in group)
                self._commits += 1
                self._seconds += time.perf_counter() - began

    def _commit(self, group: Sequence[_Waiting]) -> None:
        if not group:
            return
        try:
            verdicts = self._keep([waiting.arrival for waiting in group])
        except (DataError, BadInput):
            if len(group) == 1:
                raise
            for waiting in group:  # one of them cannot be kept: the others must not suffer for it
                self._settle_alone(waiting)
            return
        for waiting, verdict in zip(group, verdicts, strict=True):
            waiting.future.set_result(verdict)

    def _settle_alone(self, waiting: _Waiting) -> None:
        try:
            waiting.future.set_result(self._keep([waiting.arrival])[0])
        except (SQLAlchemyError, AimwellError) as error:
            self._fail([waiting], error)

    def _fail(self, group: Sequence[_Waiting], error: Exception) -> None:
        explained = _explain(error)
        _logger.error("%d messages were not kept: %s", sum(waiting.size for waiting in group), explained.seen)
        with self._condition:
            self._failures += 1
        for waiting in group:
            if not waiting.future.done():
                waiting.future.set_exception(explained)

    def _keep(self, arrivals: Sequence[Arrival]) -> list[Verdicts]:
        with self._ledger.writing_events() as connection:
            new = keep_messages(
                connection,
                [(message, arrival.source, arrival.trusted) for arrival in arrivals for message in arrival.messages],
            )
            keep_refused(
                connection,
                [
                    (rejected, arrival.source, arrival.received_at)
                    for arrival in arrivals
                    for rejected in arrival.refused
                ],
            )
        marks = iter(new)
        return [tuple(next(marks) for _ in arrival.messages) for arrival in arrivals]


def _explain(error: Exception) -> NotKept:
    """What the submitter hears: the kind of failure, never the statement with people's data in it."""
    told = error.__cause__ if isinstance(error, AimwellError) and error.__cause__ else error
    cause = getattr(told, "orig", None) or told
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    seen = f"{type(cause).__name__} {code}" if code else type(cause).__name__
    return NotKept("The messages could not be kept", seen=seen, remedy="Look after the database, then send them again.")
