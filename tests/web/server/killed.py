"""A server in a process of its own, for tests that kill it: python killed.py FOLDER SECRET."""

from __future__ import annotations

import sys
from pathlib import Path

from aimwell.store.ledger.inbox import Inbox
from aimwell.store.ledger.ledger import open_ledger
from aimwell.web.server.events import event_api
from aimwell.web.server.keys import key_of
from aimwell.web.server.run import log_as_json, serve


def main(folder: Path, secret: str) -> None:
    log_as_json()
    ledger = open_ledger(folder)
    app = event_api(Inbox(ledger), [key_of("crm", secret, trusted=True)])
    serve(app, port=0, ready=lambda url: print(url, flush=True))  # noqa: T201
    ledger.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
