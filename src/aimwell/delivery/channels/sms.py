"""Text messages through any provider that takes an HTTP request for each; the request and its answer are described.

In the request's address, headers and body `{address}`, `{text}`, `{key}`, `{sender}` and `{secret}` stand for the
values. A phone reports no opening: what an SMS can tell is that it arrived, and which of its links were followed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from aimwell.core.text import Text
from aimwell.delivery.answers import receipt_of_status, retry_after
from aimwell.delivery.channel import (
    Abilities,
    BadCallback,
    ChannelKind,
    ChannelSettings,
    Parcel,
    Receipt,
    Report,
    Request,
    Signal,
    flaw,
    secret,
)
from aimwell.delivery.reports import CallbackSettings, at_path, read_reports
from aimwell.delivery.signing import redacted

MOST_ANSWER = 64 * 1024
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}")
_PLACEHOLDER = re.compile(r"\{(address|text|key|sender|secret|ref)\}")


class AnswerSettings(BaseModel):
    """Where the provider's answer says what became of the message; fields of JSON by their dotted path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ref: str = Field(default="id", description="field with the provider's own id of the message")
    code: str | None = Field(default=None, description="field with a code, where a 200 may still mean no")
    accepted_codes: tuple[str, ...] = Field(default=("0", "OK"), description="codes that mean that it was taken")
    refused_codes: tuple[str, ...] = Field(default=(), description="codes that mean never; all others: try again later")
    dead_codes: tuple[str, ...] = Field(default=(), description="codes that mean that the number itself is dead")
    words: str | None = Field(default=None, description="field with the reason in words")


class SmsSettings(ChannelSettings):
    """The provider's address, what is sent there, and how to read what comes back."""

    url: str = Field(pattern=r"^https?://\S+$", max_length=2_000, description="where each message is sent")
    method: Literal["POST", "PUT", "GET"] = Field(default="POST", description="the HTTP method")
    headers: Mapping[str, str] = Field(
        default_factory=dict, description="headers, such as Authorization = 'Bearer {secret}'"
    )
    body: Mapping[str, JsonValue] = Field(
        default_factory=lambda: {"to": "{address}", "text": "{text}"},
        description="the body's fields, with placeholders",
    )
    form: bool = Field(default=False, description="send the body as a form instead of JSON")
    sender: str = Field(default="", description="what stands for {sender}")
    secret_env: str | None = Field(
        default=None, pattern=r"^[A-Z][A-Z0-9_]*$", description="environment variable with what stands for {secret}"
    )
    user: str | None = Field(default=None, description="name for Basic authentication; its password is the secret")
    idempotency_header: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9-]+$", description="header by which the provider sends a key only once"
    )
    answer: AnswerSettings = Field(default=AnswerSettings(), description="how to read the answer")
    look_up_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="where to ask about a {key}; 404 must mean: never taken"
    )
    timeout_seconds: float = Field(default=15, gt=0, le=120, description="how long to wait for each step of a call")
    callback: CallbackSettings | None = Field(default=None, description="how to read delivery reports")

    @field_validator("url", "look_up_url")
    @classmethod
    def _no_secret(cls, value: str | None) -> str | None:
        if value is not None and "{secret}" in value:
            raise ValueError("addresses are logged on the way: put {secret} into headers or body")
        return value


class Sms:
    """The open channel: connections are kept between messages."""

    def __init__(self, settings: SmsSettings) -> None:
        self._settings = settings
        self._secret = secret(settings.secret_env, "sms") if settings.secret_env else ""
        self._client = httpx.Client(
            timeout=settings.timeout_seconds,
            follow_redirects=False,
            trust_env=False,
            auth=httpx.BasicAuth(settings.user, self._secret) if settings.user else None,
        )

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """One request for each message, one after the other."""
        return [self._flaw(parcel) or self._post(parcel) for parcel in parcels]

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """Ask the provider about each key, where it has an address for that."""
        url = self._settings.look_up_url
        if url is None:
            return ()
        found = []
        for key in keys:
            values = {"key": key, "sender": self._settings.sender, "secret": self._secret}
            receipt = self._called(key, "GET", self._filled(url, values, _quoted), self._headers(values), None)
            if receipt.detail.startswith("404 ") or receipt.detail == "404":
                found.append(Receipt(key, "failed", detail="the provider never took it"))
            elif receipt.result in {"accepted", "refused"}:
                found.append(receipt)
        return found

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _flaw(self, parcel: Parcel) -> Receipt | None:
        flawed = flaw(parcel, "text", outside=True)
        if flawed is None and not _PHONE.fullmatch(parcel.address):
            return Receipt(parcel.key, "refused", detail="the address is no telephone number", bad_address=True)
        return flawed

    def _post(self, parcel: Parcel) -> Receipt:
        chosen = self._settings
        values = {
            "address": parcel.address,
            "text": parcel.parts["text"],
            "key": parcel.key,
            "sender": chosen.sender,
            "secret": self._secret,
        }
        headers = self._headers(values)
        if chosen.idempotency_header:
            headers[chosen.idempotency_header] = _quoted(parcel.key)
        body = None if chosen.method == "GET" else self._deep(chosen.body, values)
        return self._called(parcel.key, chosen.method, self._filled(chosen.url, values, _quoted), headers, body)

    def _headers(self, values: Mapping[str, str]) -> dict[str, str]:
        return {name: self._filled(value, values, _line) for name, value in self._settings.headers.items()}

    def _called(self, key: str, method: str, url: str, headers: Mapping[str, str], body: JsonValue) -> Receipt:
        request = self._client.build_request(
            method,
            url,
            headers=dict(headers),
            data=_form(body) if self._settings.form and isinstance(body, dict) else None,
            json=body if body is not None and not self._settings.form else None,
        )
        try:
            response = self._client.send(request, stream=True)
            try:
                answer = _read(response)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            return Receipt(key, "failed", detail=self._safe(f"cannot connect: {error}"))
        except httpx.HTTPError as error:
            return Receipt(key, "unknown", detail=self._safe(f"no answer: {type(error).__name__} {error}"))
        return self._understood(key, response, answer)

    def _understood(self, key: str, response: httpx.Response, answer: bytes) -> Receipt:
        chosen = self._settings.answer
        try:
            content: JsonValue = json.loads(answer)
        except (ValueError, RecursionError):
            content = None
        code = at_path(content, chosen.code) if chosen.code else None
        words = at_path(content, chosen.words) if chosen.words else answer.decode("utf-8", "replace")
        said = self._safe(f"{code or ''} {words or ''}")
        ref = at_path(content, chosen.ref)
        wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        if code in chosen.dead_codes:
            return Receipt(key, "refused", ref, said, bad_address=True)
        if response.status_code < 300 and chosen.code and code not in chosen.accepted_codes:
            # A 200 whose code cannot be found says nothing: the message may have been taken.
            result: Literal["refused", "failed", "unknown"] = "refused" if code in chosen.refused_codes else "failed"
            return Receipt(key, "unknown" if code is None else result, ref, said, retry_after=wait)
        return receipt_of_status(key, response.status_code, said, ref=ref, wait=wait)

    def _deep(self, value: JsonValue | Mapping[str, JsonValue], values: Mapping[str, str]) -> JsonValue:
        if isinstance(value, str):
            return self._filled(value, values, str)
        if isinstance(value, Mapping):
            return {name: self._deep(inner, values) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._deep(inner, values) for inner in value]
        return value

    def _filled(self, pattern: str, values: Mapping[str, str], shape: Callable[[str], str]) -> str:
        """The pattern with its placeholders filled in one pass, so that no value is read as a placeholder."""
        return _PLACEHOLDER.sub(lambda found: shape(values.get(found[1], "")), pattern)

    def _safe(self, words: str) -> str:
        return redacted(words, self._secret)


class SmsKind(ChannelKind[SmsSettings]):
    """Text messages through an HTTP provider."""

    name = "sms"
    label = Text("短信", "SMS")
    meaning = Text("通过任意 HTTP 服务商发送的短信", "Text messages through any provider that takes HTTP requests")
    address = "phone"
    parts = ("text",)
    longest = MappingProxyType({"text": 670})  # ten joined messages of 67 characters each
    signals = frozenset(["delivered", "clicked", "bounced", "replied", "unsubscribed"])
    settings = SmsSettings
    batch = 50
    silent = Text("是否打开：手机不会回报", "whether it was opened: a phone does not report that")

    def open(self, settings: SmsSettings, place: Path) -> Sms:
        return Sms(settings)

    def abilities(self, settings: SmsSettings) -> Abilities:
        keyed = settings.idempotency_header is not None
        without: frozenset[Signal] = frozenset(["clicked"])
        signals = self.signals if settings.callback else without
        return Abilities(self.address, signals, keyed, settings.look_up_url is not None, self.longest)

    def read_callback(self, settings: SmsSettings, request: Request) -> Sequence[Report]:
        if settings.callback is None:
            raise BadCallback("This SMS channel reads no reports", remedy="Describe them in its table `callback`.")
        return read_reports(settings.callback, request, datetime.now(UTC))


SMS = SmsKind()


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _line(value: str) -> str:
    """A value inside of a header: one line of ASCII, whatever it was."""
    return value if value.isascii() and value.isprintable() else quote(value, safe=" ")


def _form(body: Mapping[str, JsonValue]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}


def _read(response: httpx.Response) -> bytes:
    answer = b""
    for piece in response.iter_bytes():
        answer += piece
        if len(answer) >= MOST_ANSWER:
            break
    return answer[:MOST_ANSWER]
