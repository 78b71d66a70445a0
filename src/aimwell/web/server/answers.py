"""What a sender hears of each message: accepted, a duplicate, or rejected with the reason."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from aimwell.store.intake.batches import Batch, Duplicate
from aimwell.store.intake.messages import Message
from aimwell.store.intake.rejections import REASONS, Rejected
from aimwell.store.ledger.inbox import Verdicts
from aimwell.web.server.problems import answer_json

Item = dict[str, str]


def answer_batch(batch: Batch, verdicts: Verdicts) -> Response:
    """A 200: `success` for the libraries, then how many of each, then every message in its order.

    verdicts: for each of the batch's messages, in order, whether it is new.
    """
    marks = iter(verdicts)
    results = [_tell(result, marks) for result in batch.results]
    accepted, rejected = sum(verdicts), len(batch.rejected)
    counts = {"accepted": accepted, "duplicate": len(results) - accepted - rejected, "rejected": rejected}
    return answer_json({"success": True, **counts, "results": results})


def _tell(result: Message | Rejected | Duplicate, marks: Iterator[bool]) -> Item:
    if isinstance(result, Rejected):
        meaning = REASONS[result.reason].en
        return {"status": "rejected", "reason": result.reason, "message": meaning, "detail": result.detail}
    new = isinstance(result, Message) and next(marks)
    return {"status": "accepted" if new else "duplicate", "messageId": result.message_id}
