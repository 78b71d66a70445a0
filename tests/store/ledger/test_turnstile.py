"""Writers take turns: in the order of asking, across processes, and whatever becomes of the one before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimwell.core.errors import Unavailable
from aimwell.store.ledger import turnstile as turnstiles
from aimwell.store.ledger.turnstile import TakenTwice, Turnstile

# Another process: takes turns in a loop (or one for ever) and writes a line at each.
LOOPING = """
import sys, time
from pathlib import Path
from aimwell.store.ledger.turnstile import Turnstile
turnstile, name, seconds, log = Turnstile(Path(sys.argv[1])), sys.argv[2], float(sys.argv[3]), open(sys.argv[4], "a")
while True:
    with turnstile.turn():
        print(name, file=log, flush=True)
        time.sleep(seconds)
"""


class Others:
    """Processes that take turns too."""

    def __init__(self, folder: Path) -> None:
        self.file, self.log = folder / "state.db", folder / "log"
        self.log.touch()
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, seconds: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", LOOPING, str(self.file), name, str(seconds), str(self.log)]
        process = subprocess.Popen(command)
        self._running.append(process)
        wait_until(lambda: name in self.turns())
        return process

    def turns(self) -> list[str]:
        return self.log.read_text().split()

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def others(tmp_path: Path) -> Iterator[Others]:
    others = Others(tmp_path)
    yield others
    others.stop()


def wait_until(true: object) -> None:
    assert callable(true)
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it never came true")


def line(turnstile: Turnstile) -> int:
    """How many of this process stand in the line."""
    return len(turnstiles._lines[os.getpid(), turnstile._file].waiting)


def assert_few(waited: list[int], usual: int) -> None:
    """Turns of others before ours; a busy machine may let some pass between our looking and our asking."""
    assert sorted(waited)[len(waited) // 2] <= usual, waited
    assert max(waited) <= 4 * usual, waited


def test_turns_come_in_the_order_of_asking(tmp_path: Path) -> None:
    turnstile, order = Turnstile(tmp_path / "state.db"), list[int]()

    def take(number: int) -> None:
        with Turnstile(tmp_path / "state.db").turn():  # opened again: it is the same line
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(20)]
    with turnstile.turn():
        for number, thread in enumerate(threads):
            thread.start()
            wait_until(lambda number=number: line(turnstile) == number + 2)
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def test_never_two_at_once(tmp_path: Path) -> None:
    turnstile, inside, most = Turnstile(tmp_path / "state.db"), list[int](), list[int]()

    def take() -> None:
        for _ in range(20):
            with turnstile.turn():
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0001)
                inside.pop()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 120


def test_whoever_asks_beside_a_writer_in_a_loop_waits_for_one_chunk(tmp_path: Path) -> None:
    turnstile, chunks, done = Turnstile(tmp_path / "state.db"), list[int](), threading.Event()

    def loop() -> None:
        while not done.is_set():
            with turnstile.turn():
                chunks.append(1)
                time.sleep(0.02)

    def ask() -> None:
        with turnstile.turn():
            taken.append(len(chunks))

    taken, before = list[int](), list[int]()
    writer = threading.Thread(target=loop)
    writer.start()
    for _ in range(10):
        wait_until(lambda: line(turnstile) == 1)
        asking = threading.Thread(target=ask)
        asking.start()
        wait_until(lambda: line(turnstile) == 2 or len(taken) > len(before))
        before.append(len(chunks))
        asking.join()
    assert max(had - seen for had, seen in zip(taken, before, strict=True)) <= 1, "only the chunk that runs comes first"
    done.set()
    writer.join()


def test_a_process_in_a_loop_does_not_starve_another(others: Others) -> None:
    """Before us come the one that runs, and one that was in the queue before us."""
    others.start("loop", 0.05)
    turnstile = Turnstile(others.file)
    waited = []
    for _ in range(10):
        before = len(others.turns())
        with turnstile.turn():
            waited.append(len(others.turns()) - before)
    assert_few(waited, 2)


def test_two_processes_in_loops_alternate(others: Others) -> None:
    for name in "ab":
        others.start(name, 0.02)
    since = len(others.turns())
    wait_until(lambda: len(others.turns()) >= since + 40)
    turns = others.turns()[since:]
    assert turns.count("a") >= 15, turns
    assert turns.count("b") >= 15, turns


def test_an_unsubscribe_waits_for_one_chunk_of_another_process_and_of_its_own(others: Others) -> None:
    """Beside a process that writes in chunks of 0.2 s, and a thread of our own that does the same."""
    others.start("sends", 0.2)
    turnstile, ours, done = Turnstile(others.file), list[int](), threading.Event()

    def loop() -> None:
        while not done.is_set():
            with turnstile.turn():
                ours.append(1)
                time.sleep(0.2)

    writer = threading.Thread(target=loop)
    writer.start()
    waited = []
    for _ in range(3):
        time.sleep(0.1)
        before = len(others.turns()) + len(ours)
        with turnstile.turn():
            waited.append(len(others.turns()) + len(ours) - before)
    done.set()
    writer.join()
    assert_few(waited, 4)


def test_a_holder_that_is_killed_leaves_no_lock(others: Others) -> None:
    holder = others.start("holder", 1000.0)
    queued = subprocess.Popen([sys.executable, "-c", LOOPING, str(others.file), "queued", "1000", str(others.log)])
    time.sleep(0.5)  # it may wait in the queue by now, holding `next`
    queued.send_signal(signal.SIGKILL)
    queued.wait()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Turnstile(others.file).turn():
        assert others.turns() == ["holder"]


def test_an_error_hands_the_turn_over(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "state.db")
    with pytest.raises(ZeroDivisionError), turnstile.turn():
        raise ZeroDivisionError
    with turnstile.turn():
        assert line(turnstile) == 1
    assert line(turnstile) == 0


def test_a_second_turn_inside_the_first_is_an_error_and_no_deadlock(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "state.db")
    with turnstile.turn():
        with pytest.raises(TakenTwice, match=r"state.db already.*Pass the open connection on"), turnstile.turn():
            pytest.fail("it must not come here")
        with pytest.raises(TakenTwice), Turnstile(tmp_path / "x" / ".." / "state.db").turn():
            pytest.fail("nor by another name of the file")
        with Turnstile(tmp_path / "events.db").turn():
            assert line(turnstile) == 1, "another file is another line"
    with turnstile.turn():
        assert line(turnstile) == 1


def test_whoever_gives_up_waiting_leaves_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turnstile = Turnstile(tmp_path / "state.db")
    with turnstile.turn():
        shared = turnstiles._lines[os.getpid(), turnstile._file]

        def interrupted(_true: object) -> bool:
            raise KeyboardInterrupt

        def ask() -> None:
            with pytest.raises(KeyboardInterrupt), turnstile.turn():
                pytest.fail("it must not come here")

        monkeypatch.setattr(shared.condition, "wait_for", interrupted)
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()
        monkeypatch.undo()
        assert line(turnstile) == 1
    with turnstile.turn():
        assert line(turnstile) == 1


def test_a_forked_child_keeps_neither_the_lock_nor_the_line(tmp_path: Path) -> None:
    forked = (
        "import os, sys, time; from pathlib import Path; from aimwell.store.ledger.turnstile import Turnstile\n"
        "turnstile = Turnstile(Path(sys.argv[1]))\n"
        "with turnstile.turn():\n"
        "    child = os.fork()\n"
        "    if child == 0: time.sleep(1000)\n"
        "with turnstile.turn(): print('turn', flush=True)\n"
        "os.kill(child, 9); os.waitpid(child, 0)\n"
    )
    command = [sys.executable, "-c", forked, str(tmp_path / "state.db")]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout == "turn\n"


def test_a_folder_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"), Turnstile(tmp_path / "none" / "state.db").turn():
        pytest.fail("it must not come here")
