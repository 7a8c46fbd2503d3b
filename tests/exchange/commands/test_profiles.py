"""Profiles: options in one word, and the user's own options win."""

from __future__ import annotations

import pytest

from paper_exchange.cli import main, parser
from paper_exchange.commands.profiles import PROFILES, expand
from paper_exchange.commands.serve import exchange_of, options_of


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_opens_an_exchange(name: str) -> None:
    assert exchange_of(options_of("--profile", name, "--history-days", "1")).symbols


def test_a_profile_is_the_same_as_typing_its_options() -> None:
    named = vars(options_of("--profile", "watch", "--seed", "3"))
    typed = vars(options_of("--market", "planted", "--speed", "20", "--seed", "3"))
    assert {**named, "profile": "fast"} == typed


def test_the_users_own_options_win() -> None:
    assert options_of("--speed", "5", "--profile", "live").speed == 5.0
    assert options_of("--profile=hostile", "--fault-seed", "9").fault_seed == 9


def test_the_hostile_profile_commits_faults_and_the_others_none() -> None:
    armed = {name: exchange_of(options_of("--profile", name, "--history-days", "1")).faults.armed for name in PROFILES}
    assert [name for name, on in armed.items() if on] == ["hostile"]


def test_an_unknown_profile_is_refused_with_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["serve", "--profile", "calm"], ["serve", "--profile"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
    assert "fast" in capsys.readouterr().err


def test_other_commands_are_left_alone() -> None:
    assert expand(["oracle", "--ticks", "5"]) == ["oracle", "--ticks", "5"]
    assert expand([]) == []
    assert parser().parse_args(["serve"]).profile == "fast"
