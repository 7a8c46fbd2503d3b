"""Settings of one runner: a TOML file, overridden by command-line flags, closed and strict.

Nothing secret lives here: the token comes from the environment variable ``XTITAN_TOKEN`` and is never written.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from live_runner.errors import RunnerError
from live_runner.guards.limits import Limits

PAPER_TOKEN = "paper"
TOKEN_VARIABLE = "XTITAN_TOKEN"


class ConfigError(RunnerError, ValueError):
    """The configuration is missing, wrong or not allowed; one line that says what to do."""


class Settings(BaseModel):
    """The settings of one runner. Times are venue seconds unless the name says ``wall``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    environment: Literal["paper", "demo", "real"] = Field(
        "paper", description="what the account is; real is refused: this version cannot be armed"
    )
    venue_url: str = Field("http://127.0.0.1:8700", alias="venue", description="base URL of the REST API")
    account: str = Field("", description="account id; empty takes the first account (paper only)")
    app_id: str = Field("x-titan", min_length=1, description="Deriv-App-ID header")
    symbol: str = Field("R_100", min_length=1, description="the one symbol this runner watches")
    model: str = Field("", description="registered model name")
    registry: str = Field("", description="MLflow server URL or release folder; empty runs without models")
    public_key: str = Field("", description="ed25519 public key file that bundles must be signed with")
    state: str = Field("runner-state", min_length=1, description="ledger, latch, model store, control socket")
    journal: str = Field("runner-journal", min_length=1, description="where journal segments go")

    shadow_stake_cents: int = Field(1_000, ge=35, description="stake that quotes are asked at")
    min_edge: float = Field(0.0, ge=0.0, description="abstain below this edge; a manifest may only ask for more")
    latency_seconds: int = Field(0, ge=0, description="measured delay between decision and purchase")
    slot_seconds: int = Field(14, ge=1, description="slot length while no model says otherwise")
    quoted_duration: int = Field(5, ge=1, description="contract that is quoted while no model is loaded: duration ...")
    quoted_unit: Literal["t", "s", "m", "h"] = Field("t", description="... and its unit")
    settle_every_slot: bool = Field(False, description="settle the preferred side at every slot, abstained or not")

    registry_poll_seconds: int = Field(60, ge=1, description="ask the registry this often, in venue seconds ...")
    registry_poll_wall_seconds: float = Field(2.0, gt=0, description="... and no more often than this")
    segment_records: int = Field(5_000, ge=1, description="seal a journal segment after so many records ...")
    segment_seconds: int = Field(3_600, ge=1, description="... or once they span so many venue seconds")
    answer_timeout_wall_seconds: float = Field(10.0, gt=0, description="then a purchase's outcome counts as unknown")
    stop_wait_wall_seconds: float = Field(5.0, ge=0, description="how long a stop waits for open contracts")
    metrics_port: int | None = Field(None, ge=0, le=65_535, description="loopback port of /metrics and /healthz")

    stop_after_shadow: int | None = Field(None, ge=1, description="end after so many shadow settlements")
    stop_after_trades: int | None = Field(None, ge=1, description="end after so many settled purchases")
    stop_after_slots: int | None = Field(None, ge=1, description="end after so many decision slots")

    limits: Limits = Field(Limits(), description="the account's limits, a table of their own in the TOML file")

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        parts = urlsplit(self.venue_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"venue {self.venue_url!r} is not an http(s) URL")
        if self.registry and not self.model:
            raise ValueError("a registry needs model, the registered model's name")
        if self.registry and not self.public_key:
            raise ValueError("a registry needs public_key, the file that bundle signatures are checked with")
        if self.environment == "demo" and not self.account:
            raise ValueError("environment demo needs account, the id to trade on")
        return self

    @property
    def sha256(self) -> str:
        """Hash of all settings, for the journal's session record."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def state_folder(self) -> Path:
        return Path(self.state)

    @property
    def journal_folder(self) -> Path:
        return Path(self.journal)


def load_settings(file: Path | None, overrides: Mapping[str, Any]) -> Settings:
    """Read the TOML file, put the flags over it, and check the whole.

    Args:
        file: TOML file, or None for defaults and flags alone.
        overrides: settings given as flags; None values were not given.

    Raises:
        ConfigError: one line naming the file or key, and what is wrong with it.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text())
        except FileNotFoundError:
            raise ConfigError(f"{file}: no such file; pass --config with an existing TOML file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read ({error}); check the path and its permissions") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{file}: not TOML ({error}); fix that line") from None
    values.update({key: value for key, value in overrides.items() if value is not None})
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_one_line(file, error)) from None
    if settings.environment == "real":
        raise ConfigError("environment real: this version cannot be armed for real money; use paper or demo")
    return settings


def _one_line(file: Path | None, error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    advice = "remove it or check its spelling" if first["type"] == "extra_forbidden" else "correct it"
    return f"{file or 'settings'}: {where + ': ' if where else ''}{what}; {advice}"


def venue_token(settings: Settings) -> SecretStr:
    """The bearer token: from the environment, or ``paper`` on the paper exchange.

    Raises:
        ConfigError: when a real venue is asked for and no token is set.
    """
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token and settings.environment == "paper":
        token = PAPER_TOKEN
    if not token:
        raise ConfigError(f"environment {settings.environment} needs a token; set {TOKEN_VARIABLE}")
    return SecretStr(token)
