"""What is said when a request is not taken: a status, a code for programs and words for people (problem+json)."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

_TITLES = {
    400: "The body cannot be read",
    401: "The write key is missing or unknown",
    403: "This page may not use this write key",
    404: "There is nothing here",
    405: "This address takes another method",
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "The body is encoded in a way that is not understood",
    429: "Too much at once",
    500: "The server met an error of its own",
    503: "The messages cannot be kept now",
}


class Declined(Exception):
    """A request that is not taken; it ends the handling of that request and never leaves this package."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after: int | None = None) -> None:
        self.status, self.code, self.detail, self.retry_after = status, code, detail, retry_after
        super().__init__(detail)


def problem(declined: Declined) -> Response:
    """The answer in the form of RFC 9457; `code` and `message` are what Segment's library for Python shows."""
    title = _TITLES.get(declined.status, "The request is not taken")
    body = {
        "type": "about:blank",
        "title": title,
        "status": declined.status,
        "detail": declined.detail,
        "success": False,
        "code": declined.code,
        "message": f"{title}: {declined.detail}",
    }
    answer = answer_json(body, declined.status, "application/problem+json")
    if declined.retry_after is not None:
        answer.headers["Retry-After"] = str(declined.retry_after)
    if declined.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="write key"'
    return answer


def answer_json(body: object, status: int = 200, media_type: str = "application/json") -> Response:
    """JSON that no browser takes for a page, whatever a client put into it: `<`, `>` and `&` are written as escapes.

    In JSON these characters stand only within texts, so the value stays the same.
    """
    text = msgspec.json.encode(body)
    text = text.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(text, status, headers, media_type)
