"""The workspace: a folder with `aimwell.toml`, definitions in YAML and the stores; opens them and nothing more."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from aimwell.core.definitions import Definition, read_definitions
from aimwell.core.errors import BadDefinition, BadQuestion, Unavailable
from aimwell.core.problems import Problem
from aimwell.core.time import zone
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.macros import Setting
from aimwell.store.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from aimwell.store.ledger.ledger import Ledger

SETTINGS_FILE = "aimwell.toml"
D = TypeVar("D", bound=Definition)


class WarehouseSettings(BaseModel):
    """Where the warehouse is and which engine runs it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["duckdb", "spark"] = "duckdb"
    path: str = "warehouse.duckdb"
    threads: int | None = Field(default=None, ge=1)


class LedgerSettings(BaseModel):
    """Where the ledger is: a folder of the workspace (SQLite), or a PostgreSQL database by the URL in a variable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = "ledger"
    url_env: str = Field(
        default="", description="environment variable with postgresql://user:password@host/database; empty: SQLite"
    )


class IdentityRules(BaseModel):
    """How customers are told apart and who is kept out of all marketing; see docs/identity.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hold_out: float = Field(default=0.0, ge=0, lt=1, description="share of customers who get no marketing at all")
    calling_code: str | None = Field(default=None, pattern=r"^[1-9]\d{0,2}$", description="such as 86")
    believe_traits: bool = Field(
        default=False, description="email_verified: true counts from any write key; by default only from trusted ones"
    )


class LinkSettings(BaseModel):
    """Where the pages of `aimwell serve` are seen from outside, and what signs the links that lead there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field(default="", description="such as https://go.example.org; empty: links are not tracked")
    secret_env: str = Field(
        default="AIMWELL_LINK_SECRET", description="environment variable with a secret of 16 characters or more"
    )


class Settings(BaseModel):
    """What `aimwell.toml` says: who we are, in which money and timezone, and the thresholds that definitions use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code, such as CNY")
    timezone: str = Field(description="IANA timezone whose days count")
    country: str = Field(default="CN", pattern=r"^[A-Z]{2}$", description="ISO 3166 code, for holidays")
    language: Literal["zh", "en"] = "zh"
    simulated: bool = Field(default=False, description="whether the data are synthetic; said beside every figure")
    about: str = Field(default="", description="where the data come from, shown in reports")
    warehouse: WarehouseSettings = WarehouseSettings()
    ledger: LedgerSettings = LedgerSettings()
    identity: IdentityRules = IdentityRules()
    links: LinkSettings = LinkSettings()
    delivery: dict[str, object] = Field(
        default_factory=dict,
        description="caps, quiet hours, pace and retries; checked by delivery, see docs/delivery.md",
    )
    settings: dict[str, Setting] = Field(default_factory=dict, description="thresholds and tiers, by name")
    channels: dict[str, dict[str, object]] = Field(
        default_factory=dict, description="how each channel sends, by name; checked by delivery, see docs/channels.md"
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zone(value)
        except BadQuestion as error:
            raise ValueError(str(error)) from error
        return value


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened workspace folder; hold it, and pass it to the verbs of the six steps."""

    folder: Path
    settings: Settings

    @property
    def zone(self) -> ZoneInfo:
        """The timezone whose days count."""
        return zone(self.settings.timezone)

    def definitions(self, kind: type[D]) -> Mapping[str, D]:
        """All definitions of a kind, by name; raises BadDefinition with every problem."""
        return read_definitions(self.folder, kind)

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """The warehouse, open until the block ends."""
        opened = Warehouse(self._engine(), self.zone, self.settings.settings)
        try:
            yield opened
        finally:
            opened.close()

    @property
    def settings_text(self) -> str:
        """What `aimwell.toml` says, word for word, so that later checks can name its lines."""
        return (self.folder / SETTINGS_FILE).read_text(encoding="utf-8-sig")

    @property
    def has_ledger(self) -> bool:
        """Whether there is a ledger to read: one in a database of its own, or one that was made in the workspace."""
        chosen = self.settings.ledger
        return bool(chosen.url_env) or (self.folder / chosen.path / "state.db").is_file()

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, open until the block ends. Raises Unavailable when its database cannot be reached."""
        from aimwell.store.ledger.ledger import open_ledger  # what needs no ledger does not wait for SQLAlchemy

        opened = open_ledger(self._ledger_place())
        try:
            yield opened
        finally:
            opened.close()

    def _ledger_place(self) -> str | Path:
        chosen = self.settings.ledger
        if not chosen.url_env:
            return self.place(chosen.path, "state.db").parent
        url = os.environ.get(chosen.url_env, "")
        if not url:
            raise Unavailable(
                "The ledger's database is not named in the environment",
                expected=f"a URL in {chosen.url_env}, as [ledger] of {SETTINGS_FILE} says",
                remedy=f"export {chosen.url_env}=postgresql://user:password@host/database before starting.",
            )
        return url

    def place(self, *parts: str) -> Path:
        """A path inside the workspace, its folder made."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _engine(self) -> Engine:
        chosen = self.settings.warehouse
        if chosen.engine == "spark":
            from aimwell.store.warehouse.spark import SparkEngine

            return SparkEngine.open(self.place(chosen.path))
        return DuckEngine(self.place(chosen.path), threads=chosen.threads)


def open_workspace(folder: str | Path) -> Workspace:
    """The workspace in a folder.

    Raises BadQuestion when there is none, BadDefinition with all problems of its settings.
    """
    root = Path(folder).expanduser().resolve()
    file = root / SETTINGS_FILE
    if not file.is_file():
        raise BadQuestion(
            f"{root} is no workspace",
            expected=f"a file {SETTINGS_FILE} in it",
            remedy="Run `aimwell init FOLDER` to make one.",
        )
    return Workspace(root, _read_settings(file))


def _read_settings(file: Path) -> Settings:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDefinition([Problem(file.name, None, "", f"cannot be read as TOML: {error}")]) from error
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise BadDefinition(
            [
                Problem(file.name, _line(file, mistake["loc"]), ".".join(map(str, mistake["loc"])), mistake["msg"])
                for mistake in error.errors(include_url=False)
            ]
        ) from error


def _line(file: Path, loc: tuple[str | int, ...]) -> int | None:
    """The line on which the last named key of a TOML path stands, as far as a plain search can tell."""
    key = str(loc[-1]) if loc else ""
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.split("=")[0].strip() == key or line.strip() == f"[{key}]":
            return number
    return None
