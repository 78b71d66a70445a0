"""The encoding of a file is found by its mark, its bytes and only then by likeness; a wrong one is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.core.errors import BadSource
from aimwell.store.sources.encoding import check_encoding, encoding_of

CHINESE = "订单号,客户,备注\n" + "\n".join(f"A{n},客户{n},这是一个备注" for n in range(50))


def found(folder: Path, content: bytes) -> tuple[str, bool]:
    path = folder / "a.csv"
    path.write_bytes(content)
    encoding = encoding_of(path, len(content), hash(content))
    return encoding.codec, encoding.certain


@pytest.mark.parametrize(
    ("text", "codec", "found_as", "certain"),
    [
        (CHINESE, "utf-8", "utf-8", True),
        (CHINESE, "utf-8-sig", "utf-8-sig", True),
        (CHINESE, "utf-16", "utf-16", True),
        (CHINESE, "utf-16-le", "utf-16-le", False),
        (CHINESE, "gb18030", "gb18030", False),
        ("id,name\n" + "1,x\n" * 5000 + "2,王五\n", "gb18030", "gb18030", False),
        ("id,name\n1,Müller\n2,Café\n", "cp1252", "cp1252", False),
        ("編號,名稱\n" + "".join(f"{n},臺灣客戶資料說明\n" for n in range(50)), "big5", "big5", False),
        ("plain,ascii\n1,2\n", "ascii", "utf-8", True),
    ],
)
def test_encodings_are_told_apart(tmp_path: Path, text: str, codec: str, found_as: str, certain: bool) -> None:
    assert found(tmp_path, text.encode(codec)) == (found_as, certain)


def test_a_file_that_mixes_encodings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"cannot be told.*Save the file as UTF-8"):
        found(tmp_path, "名称,中文字\n".encode() + "名称,中文字\n".encode("gb18030") + b"\x81\x20\xff\n")


def test_the_first_byte_that_does_not_fit_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n1,ok\n2,\xd5\xc5\n")
    with pytest.raises(BadSource, match=r"not written in utf-8; saw the byte 0xd5 in line 3.*encoding: auto"):
        check_encoding(path, path.stat().st_size, 0, "utf-8")
    with pytest.raises(BadSource, match="Unknown encoding 'utf-99'"):
        check_encoding(path, path.stat().st_size, 0, "utf-99")
