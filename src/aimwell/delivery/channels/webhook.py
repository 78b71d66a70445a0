"""Posts each message as signed JSON to an address of yours, and never to a machine inside the own network.

The name is resolved once, every address that it gives must be public, and the connection goes to the very address that
was checked (so a name that changes its mind finds nobody); redirects are not followed. Body, answer and time are
limited. The receiver checks `Aimwell-Signature: v1=HMAC-SHA256(secret, timestamp + "." + body)`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import Field, model_validator

from aimwell.core.text import Text
from aimwell.delivery.answers import receipt_of_status, retry_after
from aimwell.delivery.channel import (
    CUSTOMER_ID,
    Abilities,
    ChannelKind,
    ChannelSettings,
    Parcel,
    Receipt,
    flaw,
    secret,
)
from aimwell.delivery.guarded import Forbidden, Unresolved, checked_address
from aimwell.delivery.signing import redacted, sign

MOST_BODY = 256 * 1024
MOST_ANSWER = 64 * 1024


class WebhookSettings(ChannelSettings):
    """Where to post, the secret that signs, and which inside hosts are allowed."""

    url: str = Field(
        max_length=2_000, description="where each message is posted; https, unless the host is allowed below"
    )
    secret_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="environment variable with the secret that signs")
    timeout_seconds: float = Field(default=10, gt=0, le=60, description="how long one call may take in all")
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="hosts that may be inside or without TLS, by exact name; for tests and demonstrations"
    )
    idempotent: bool = Field(default=False, description="the receiver promises to act once per Idempotency-Key")
    ca_file: str | None = Field(default=None, description="file with the certificates to trust instead of the system's")

    @model_validator(mode="after")
    def _usable(self) -> WebhookSettings:
        parts = urlsplit(self.url)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError("url is no address: write https://host/path")
        if parts.username is not None or parts.password is not None:
            raise ValueError("url holds a name or password: secrets come from the environment")
        if parts.scheme == "http" and parts.hostname not in self.allowed_hosts:
            raise ValueError("url is not https: signatures do not hide what is sent; use https")
        if any(ord(sign_) <= 32 or ord(sign_) == 127 for sign_ in self.url):
            raise ValueError("url holds blanks or control characters")
        _ = parts.port  # raises ValueError if it is none
        return self


class Webhook:
    """The open channel: one connection for each message, to an address checked just before."""

    def __init__(self, settings: WebhookSettings) -> None:
        self._settings = settings
        self._secret = secret(settings.secret_env, "webhook")
        self._tls = ssl.create_default_context(cafile=settings.ca_file)
        self._url: SplitResult = urlsplit(settings.url)

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """Post each message, one after the other."""
        return [flaw(parcel, "text") or self._post(parcel) for parcel in parcels]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """A webhook cannot be asked."""
        return ()

    def close(self) -> None:
        """Nothing is kept open."""

    def _post(self, parcel: Parcel) -> Receipt:
        body = _body(parcel)
        if len(body) > MOST_BODY:
            return Receipt(parcel.key, "refused", detail=f"is larger than {MOST_BODY:,} bytes")
        try:
            connection, watch = self._connected()
        except Forbidden as error:
            return Receipt(parcel.key, "refused", detail=str(error))
        except (Unresolved, OSError) as error:
            return Receipt(parcel.key, "failed", detail=f"cannot connect: {redacted(str(error), self._secret)}")
        with contextlib.closing(connection), watch:
            return self._exchange(connection, parcel.key, body)

    def _connected(self) -> tuple[http.client.HTTPConnection, Watch]:
        host = self._url.hostname or ""
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        family, address = checked_address(host, port, allowed=host in self._settings.allowed_hosts)
        line = socket.socket(family, socket.SOCK_STREAM)
        line.settimeout(self._settings.timeout_seconds)
        watch = Watch(line, self._settings.timeout_seconds)
        try:
            line.connect(address)
            if self._url.scheme == "https":
                line = self._tls.wrap_socket(line, server_hostname=host)
                watch.line = line
        except OSError:
            line.close()
            watch.end()
            raise
        connection = http.client.HTTPConnection(host, port)
        connection.sock = line
        return connection, watch

    def _exchange(self, connection: http.client.HTTPConnection, key: str, body: bytes) -> Receipt:
        timestamp = str(int(datetime.now(UTC).timestamp()))
        path = self._url.path or "/"
        headers = {
            "Host": self._url.netloc,
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Aimwell",
            "Connection": "close",
            "Idempotency-Key": quote(key, safe=":/"),
            "Aimwell-Timestamp": timestamp,
            "Aimwell-Signature": f"v1={sign(self._secret, timestamp, body)}",
        }
        try:
            connection.request("POST", f"{path}?{self._url.query}" if self._url.query else path, body, headers)
            response = connection.getresponse()
            answer = response.read(MOST_ANSWER)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Receipt(
                key, "unknown", detail=f"no answer: {redacted(str(error) or type(error).__name__, self._secret)}"
            )
        wait = retry_after(response.getheader("Retry-After"), datetime.now(UTC))
        words = redacted(answer.decode("utf-8", "replace"), self._secret)
        return receipt_of_status(key, response.status, words, wait=wait)


class Watch:
    """Cuts a connection that takes too long in all, however busily its other end drips bytes."""

    def __init__(self, line: socket.socket, seconds: float) -> None:
        self.line = line
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """It went well."""
        self._timer.cancel()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.line, socket.SHUT_RDWR)


class WebhookKind(ChannelKind[WebhookSettings]):
    """Messages posted to an address."""

    name = "webhook"
    label = Text("Webhook", "Webhook")
    meaning = Text("把消息以签名的 JSON 发到指定地址", "Posts each message as signed JSON to an address of yours")
    address = CUSTOMER_ID
    parts = ("text", "title", "subject", "html", "link")
    signals = frozenset()
    idempotent = False
    settings = WebhookSettings
    batch = 20
    silent = Text("接收方之后做了什么", "what the receiver did with it")

    def open(self, settings: WebhookSettings, place: Path) -> Webhook:
        return Webhook(settings)

    def abilities(self, settings: WebhookSettings) -> Abilities:
        return Abilities(self.address, self.signals, settings.idempotent, self.tells, self.longest)


WEBHOOK = WebhookKind()


def _body(parcel: Parcel) -> bytes:
    content = {
        "key": parcel.key,
        "customer_id": parcel.customer_id,
        "simulated": parcel.simulated,
        "parts": dict(parcel.parts),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
