from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest


@pytest.fixture(scope="package", autouse=True)
def few_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust one authority in place of all: each channel that opens would read the certificates of some hundred."""
    whole = Path(certifi.where()).read_text("ascii")
    first = whole[whole.index(BEGIN) : whole.index(END) + len(END)] + "\n"
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(first, "ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(file))
        yield


BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
