"""Settings: closed, strict, one line per mistake, and no secret inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from live_runner.config import ConfigError, Settings, load_settings, venue_token


def test_defaults_are_the_paper_exchange() -> None:
    settings = load_settings(None, {})
    assert settings.environment == "paper"
    assert settings.venue_url == "http://127.0.0.1:8700"
    assert venue_token(settings).get_secret_value() == "paper"


def test_flags_win_over_the_file_and_absent_flags_do_not(tmp_path: Path) -> None:
    file = tmp_path / "runner.toml"
    file.write_text('symbol = "R_50"\nmin_edge = 0.05\n[limits]\nmax_stake_cents = 500\n')
    settings = load_settings(file, {"symbol": "R_75", "min_edge": None})
    assert (settings.symbol, settings.min_edge, settings.limits.max_stake_cents) == ("R_75", 0.05, 500)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("symbl = 'R_100'", "symbl"),
        ("min_edge = '0.1'", "min_edge"),
        ("min_edge = nan", "min_edge"),
        ("shadow_stake_cents = 10", "shadow_stake_cents"),
        ("[limits]\nmax_stake = 1", "limits.max_stake"),
        ("venue = 'ftp://x'", "ftp://x"),
        ("registry = 'releases'", "model"),
        ("registry = 'releases'\nmodel = 'm'", "public_key"),
        ("environment = 'demo'", "account"),
        ("environment = 'real'", "real"),
        ("this is not toml", "not TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "runner.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_settings(file, {})
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: no such file"):
        load_settings(tmp_path / "gone.toml", {})


def test_only_paper_has_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XTITAN_TOKEN", raising=False)
    demo = load_settings(None, {"environment": "demo", "account": "DOT1", "venue": "https://api.derivws.com"})
    with pytest.raises(ConfigError, match="XTITAN_TOKEN"):
        venue_token(demo)
    monkeypatch.setenv("XTITAN_TOKEN", "canary-4711")
    token = venue_token(demo)
    assert token.get_secret_value() == "canary-4711"
    assert "canary-4711" not in f"{token!r}{token}{demo!r}{demo.model_dump_json()}"


def test_the_hash_names_every_setting() -> None:
    base = Settings()
    changed: list[dict[str, Any]] = [{"symbol": "R_50"}, {"min_edge": 0.01}, {"settle_every_slot": True}]
    hashes = {base.sha256, *(Settings.model_validate(change).sha256 for change in changed)}
    assert len(hashes) == 4
    assert Settings().sha256 == base.sha256
