"""In which encoding a text file is written: by its mark, by what it can be, and only then by likeness."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from charset_normalizer import from_bytes

from aimwell.core.errors import BadSource
from aimwell.store.sources.places import open_binary

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LIKELY = ["gb18030", "big5", "shift_jis", "euc_kr", "cp1252"]
_SAMPLE = 1 << 18
_CHUNK = 1 << 20
_REMEDY = "Save the file as UTF-8, or name its encoding (encoding: gb18030)."


@dataclass(frozen=True, slots=True)
class Encoding:
    """The codec of a file, and whether that is certain (a mark, or valid UTF-8) or only likely."""

    codec: str
    certain: bool


@lru_cache(maxsize=4096)
def encoding_of(path: Path, size: int, modified: int) -> Encoding:
    """The encoding of a text file, looking at all of it; `size` and `modified` say which state of the file is meant.

    A byte-order mark decides; then UTF-8 if every byte fits; then UTF-16 by its zero bytes; then the likeliest of the
    encodings used for Chinese, Japanese, Korean and Western European, judged on the lines that are not plain ASCII.
    Raises BadSource when nothing fits.
    """
    with open_binary(path) as stream:
        head = stream.read(_SAMPLE)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return Encoding(codec, certain=True)
    if b"\0" in head:
        return _wide(head, path)
    broken, unusual = _beyond_utf8(path)
    return _likely(unusual, path) if broken is not None else Encoding("utf-8", certain=True)


@lru_cache(maxsize=4096)
def check_encoding(path: Path, size: int, modified: int, codec: str) -> None:
    """Raise BadSource, with the first wrong byte, unless all of the file is written in that encoding."""
    try:
        decoder = codecs.getincrementaldecoder(codec)()
    except LookupError:
        raise BadSource(
            f"Unknown encoding {codec!r}", remedy="Write utf-8, gb18030, utf-16, cp1252, … or auto."
        ) from None
    line = 1
    with open_binary(path) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line += chunk[: error.start].count(b"\n")
                raise BadSource(
                    f"{path.name} is not written in {codec}",
                    seen=f"the byte {error.object[error.start]:#04x} in line {line}",
                    remedy="Write encoding: auto, or name the encoding it has.",
                ) from error
            line += text.count("\n")
            if not chunk:
                return


def _beyond_utf8(path: Path) -> tuple[int | None, bytes]:
    """The first line that is not UTF-8, if any, and the first lines that are not plain ASCII."""
    broken: int | None = None
    unusual: list[bytes] = []
    kept = 0
    with open_binary(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.isascii():
                continue
            if kept < _SAMPLE:
                unusual.append(line)
                kept += len(line)
            if broken is None:
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    broken = number
    return broken, b"".join(unusual)


def _wide(head: bytes, path: Path) -> Encoding:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    codec = "utf-16-le" if odd > even else "utf-16-be"
    try:
        head[: len(head) // 2 * 2].decode(codec)
    except UnicodeDecodeError:
        raise BadSource(f"{path.name} is no text", seen="zero bytes", remedy=_REMEDY) from None
    return Encoding(codec, certain=False)


def _likely(unusual: bytes, path: Path) -> Encoding:
    if _decodes(unusual, "gb2312"):
        return Encoding("gb18030", certain=False)
    best = from_bytes(unusual, cp_isolation=_LIKELY).best()
    if best is None:
        raise BadSource(f"The encoding of {path.name} cannot be told", seen="lines that mix encodings", remedy=_REMEDY)
    return Encoding(best.encoding, certain=False)


def _decodes(text: bytes, codec: str) -> bool:
    try:
        text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
