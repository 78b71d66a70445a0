"""E-mail by SMTP: one connection for a batch, and every answer of the server told as what it means for the message.

Until the last dot of a message was sent, the server cannot have it: what fails before may be tried again. If the
connection is lost after, it may have it, and that is `unknown`. The Message-ID is made from the key, so that
a repetition can be recognised. Recipients that the server says do not exist are dead addresses.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from aimwell.core.text import Text
from aimwell.delivery.channel import ChannelKind, ChannelSettings, Parcel, Receipt, Result, flaw, secret
from aimwell.delivery.letters import ADDRESS, Unwritable, ascii_address, stuffed, written
from aimwell.delivery.signing import redacted

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_EXTENDED = re.compile(rb"5\.(\d{1,3})\.\d{1,3}\b")


class EmailSettings(ChannelSettings):
    """The mail server, how to sign in, and who sends."""

    host: str = Field(min_length=1, pattern=r"^\S+$", description="the mail server")
    port: int = Field(default=587, ge=1, le=65_535, description="its port: 587 for starttls, 465 for implicit")
    tls: Literal["starttls", "implicit", "none"] = Field(default="starttls", description="how the line is encrypted")
    user: str | None = Field(default=None, description="name to sign in with; left out: no sign-in")
    password_env: str | None = Field(
        default=None, pattern=r"^[A-Z][A-Z0-9_]*$", description="environment variable with the password"
    )
    sender: str = Field(description="address that messages come from")
    sender_name: str = Field(default="", description="name that stands before it, unless the content gives one")
    reply_to: str | None = Field(default=None, description="address for answers, if not the sender")
    timeout_seconds: float = Field(
        default=30, gt=0, le=300, description="how long to wait for each answer of the server"
    )
    ca_file: str | None = Field(default=None, description="file with the certificates to trust instead of the system's")

    @model_validator(mode="after")
    def _consistent(self) -> EmailSettings:
        for name in ("sender", "reply_to"):
            address = getattr(self, name)
            if address is not None and not ADDRESS.fullmatch(address):
                raise ValueError(f"{name} is no e-mail address")
        if (self.user is None) != (self.password_env is None):
            raise ValueError("user and password_env belong together: give both or none")
        if self.user and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError("a password would go over an open line: use tls = 'starttls' or 'implicit'")
        return self


class Email:
    """The open channel; signs in when there is something to send and keeps the line for the batch."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._password = secret(settings.password_env, "email") if settings.password_env else ""
        self._tls = ssl.create_default_context(cafile=settings.ca_file)
        self._line: smtplib.SMTP | None = None

    def send(self, parcels: Sequence[Parcel]) -> Sequence[Receipt]:
        """Hand over each message; a line that breaks is opened anew for the next, and given up if it cannot be."""
        self._forget_dead_line()
        receipts: list[Receipt] = []
        down: str | None = None
        for parcel in parcels:
            receipt = flaw(parcel, "subject", outside=True)
            if receipt is None and down is None:
                down = self._connect()
            receipts.append(
                receipt or (self._tried(parcel) if down is None else Receipt(parcel.key, "failed", detail=down))
            )
        return receipts

    def look_up(self, keys: Sequence[str]) -> Sequence[Receipt]:
        """A mail server cannot be asked."""
        return ()

    def close(self) -> None:
        """Say good-bye to the server."""
        if self._line is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._line.quit()
        self._hang_up()

    def _connect(self) -> str | None:
        """Open the line and sign in, unless that is done; says what is in the way, if anything is."""
        if self._line is not None:
            return None
        try:
            self._line = self._opened()
            self._greet(self._line)
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            return self._safe(f"no connection: {_words(error)}")
        return None

    def _opened(self) -> smtplib.SMTP:
        chosen = self._settings
        if chosen.tls == "implicit":
            return smtplib.SMTP_SSL(chosen.host, chosen.port, timeout=chosen.timeout_seconds, context=self._tls)
        return smtplib.SMTP(chosen.host, chosen.port, timeout=chosen.timeout_seconds)

    def _greet(self, line: smtplib.SMTP) -> None:
        line.ehlo()
        if self._settings.tls == "starttls":
            line.starttls(context=self._tls)
            line.ehlo()
        if self._settings.user:
            line.login(self._settings.user, self._password)

    def _tried(self, parcel: Parcel) -> Receipt:
        try:
            recipient = ascii_address(parcel.address)
            letter = written(parcel, self._settings.sender, self._settings.sender_name, self._settings.reply_to)
        except ValueError as error:
            dead = isinstance(error, Unwritable) and error.bad_address
            return Receipt(parcel.key, "refused", detail=self._safe(str(error)), bad_address=dead)
        try:
            return self._hand_over(parcel.key, recipient, letter)
        except (OSError, smtplib.SMTPException) as error:
            # What raises here came before the message itself: the server cannot have it.
            self._hang_up()
            return Receipt(parcel.key, "failed", detail=self._safe(f"the line was lost: {_words(error)}"))

    def _hand_over(self, key: str, recipient: str, letter: bytes) -> Receipt:
        line = self._line
        if line is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        code, words = line.mail(ascii_address(self._settings.sender))
        if code != 250:
            return self._turned_down(line, key, code, words)
        code, words = line.rcpt(recipient)
        if code not in (250, 251):
            return self._turned_down(line, key, code, words, recipient=True)
        code, words = line.docmd("DATA")
        if code != 354:
            return self._turned_down(line, key, code, words)
        return self._text(line, key, letter)

    def _text(self, line: smtplib.SMTP, key: str, letter: bytes) -> Receipt:
        """Send the message itself; from its last line on, silence is no proof that the server does not have it."""
        try:
            line.send(stuffed(letter))
            code, words = line.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            return Receipt(key, "unknown", detail=self._safe(f"the line was lost after the message: {_words(error)}"))
        if code == 250:
            return Receipt(key, "accepted", self._safe(words.decode("utf-8", "replace")) or None)
        return self._turned_down(line, key, code, words)

    def _turned_down(
        self, line: smtplib.SMTP, key: str, code: int, words: bytes, *, recipient: bool = False
    ) -> Receipt:
        if code in (421, -1):
            self._hang_up()
        else:
            try:
                line.rset()
            except (OSError, smtplib.SMTPException):
                self._hang_up()
        detail = self._safe(f"{code} {words.decode('utf-8', 'replace')}")
        result: Result = "refused" if 500 <= code < 600 else "failed"
        return Receipt(key, result, detail=detail, bad_address=result == "refused" and recipient and _dead(code, words))

    def _forget_dead_line(self) -> None:
        """A line that was kept since the last batch is used only if it still answers."""
        if self._line is not None:
            try:
                alive = self._line.noop()[0] == 250
            except (OSError, smtplib.SMTPException):
                alive = False
            if not alive:
                self._hang_up()

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _safe(self, words: str) -> str:
        return redacted(words, self._password)


class EmailKind(ChannelKind[EmailSettings]):
    """E-mail by SMTP."""

    name = "email"
    label = Text("邮件", "E-mail")
    meaning = Text("通过 SMTP 发送的邮件，支持一键退订", "E-mail by SMTP, with one-click unsubscribing")
    address = "email"
    parts = ("subject", "text", "html", "sender_name", "unsubscribe")
    signals = frozenset(["opened", "clicked", "unsubscribed"])
    settings = EmailSettings
    batch = 100
    silent = Text(
        "是否送达：服务器收下不等于收件箱；屏蔽图片的打开",
        "whether it arrived: a server that took it may still drop it; openings where pictures are blocked",
    )

    def open(self, settings: EmailSettings, place: Path) -> Email:
        return Email(settings)


EMAIL = EmailKind()


def _dead(code: int, words: bytes) -> bool:
    """Whether a refusal is about the address itself and not about us: by its extended code (RFC 3463) if it has one."""
    extended = _EXTENDED.match(words)
    if extended:
        return extended[1] == b"1" or extended[0] == b"5.2.1"
    return code in (550, 551, 553)


def _words(error: Exception) -> str:
    """What a failed connection said; never what we sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__
