"""The body of a request: read within bounds of size and time, unpacked within the same bounds."""

from __future__ import annotations

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

from aimwell.store.intake.batches import MAX_BODY_BYTES
from aimwell.web.server.problems import Declined

SLOWEST_SECONDS = 30
"""How long a body may take to arrive: phones on bad networks need seconds; who takes longer holds a connection."""

_DRAINED_BYTES = 8 * MAX_BODY_BYTES
"""How much of a body that is too large is still read and dropped, so that the sender can hear the answer."""

_GZIP = 31  # window bits that make zlib expect the header and the checksum of gzip


async def read_body(request: Request) -> bytes:
    """The whole body, unpacked if it is gzip.

    Raises Declined: 408 if it takes too long, 413 if it is too large (packed or unpacked), 415 for another encoding,
    400 if it is no gzip or was cut.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise Declined(415, "unknown_encoding", "Content-Encoding may be gzip or nothing")
    try:
        async with asyncio.timeout(SLOWEST_SECONDS):
            packed = await _receive(request)
    except TimeoutError:
        raise Declined(408, "too_slow", f"the body took more than {SLOWEST_SECONDS} seconds") from None
    except ClientDisconnect:
        raise Declined(400, "cut", "the connection ended within the body") from None
    return unpack(packed) if encoding in ("gzip", "x-gzip") else packed


def unpack(packed: bytes) -> bytes:
    """The content of a gzip file; unpacking stops as soon as it is too large, however small the file is.

    >>> import gzip
    >>> unpack(gzip.compress(b"{}"))
    b'{}'
    """
    reader = zlib.decompressobj(_GZIP)
    try:
        body = reader.decompress(packed, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise Declined(400, "bad_gzip", "the body is no gzip") from error
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    if not reader.eof or reader.unused_data:
        raise Declined(400, "bad_gzip", "the gzip is cut, or something follows it")
    return body


async def _receive(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > _DRAINED_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _DRAINED_BYTES:
            break
        if size <= MAX_BODY_BYTES:
            chunks.append(chunk)
    if size > MAX_BODY_BYTES:
        raise _too_large()
    return b"".join(chunks)


def _too_large() -> Declined:
    return Declined(413, "too_large", f"more than {MAX_BODY_BYTES} bytes")
