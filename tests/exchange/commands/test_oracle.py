"""``paper_exchange oracle``: one number for a planted world and a contract, or one line that says what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from paper_exchange.cli import main
from paper_exchange.markets.oracles import momentum_win_rate, oracle
from paper_exchange.markets.plant import DEFAULT_PHI
from xtitan_core.contracts import ContractType


def printed(capsys: Any, *arguments: str) -> str:
    assert main(["oracle", *arguments]) == 0
    return str(capsys.readouterr().out)


def test_by_default_the_rise_fall_rate_of_planted_momentum(capsys: Any) -> None:
    assert float(printed(capsys)) == momentum_win_rate(DEFAULT_PHI, 5)
    assert float(printed(capsys, "--planted-phi", "0.5", "--ticks", "3", "--delay", "2")) == momentum_win_rate(
        0.5, 3, 2
    )


def test_every_world_has_its_contracts(capsys: Any) -> None:
    touch = printed(capsys, "--symbol", "PLANTED_VOL_100", "--type", "ONETOUCH", "--ticks", "10", "--barrier", "4")
    assert float(touch) == oracle("PLANTED_VOL_100", ContractType.ONETOUCH, 10, barrier=4.0).win_rate
    stays = ("--type", "RANGE", "--barrier", "4", "--barrier2", "-4", "--json")
    assert json.loads(printed(capsys, "--symbol", "PLANTED_VOL_100", "--ticks", "10", *stays)) == pytest.approx(
        {"win_rate": 0.983, "share": 0.5, "priced": 0.695}, abs=1e-3
    )
    higher = printed(capsys, "--symbol", "PLANTED_DRIFT_100", "--type", "HIGHER", "--barrier", "1")
    assert float(higher) == oracle("PLANTED_DRIFT_100", ContractType.HIGHER, 5, barrier=1.0).win_rate
    digit = printed(capsys, "--symbol", "PLANTED_DIGIT_100", "--type", "DIGITMATCH", "--ticks", "1")
    assert float(digit) == pytest.approx(0.37)


def test_an_edge_that_fades_is_worth_what_is_left_of_it(capsys: Any) -> None:
    later = printed(capsys, "--edge-half-life", "7", "--at", "2026-03-16")
    assert float(later) == momentum_win_rate(DEFAULT_PHI / 4, 5)
    assert float(printed(capsys, "--edge-half-life", "7")) == momentum_win_rate(DEFAULT_PHI, 5)
    gone = ("--edge-until", "2026-03-10")
    assert float(printed(capsys, *gone, "--at", "2026-03-09T23:59:59")) == momentum_win_rate(DEFAULT_PHI, 5)
    assert float(printed(capsys, *gone, "--at", "2026-03-10")) == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--symbol", "R_100"], "has no planted edge; choose one of PLANTED_100"),
        (["--type", "ASIANU"], "unknown contract type 'ASIANU'; choose one of CALL"),
        (["--type", "ONETOUCH"], "no edge in ONETOUCH"),
        (["--ticks", "0"], "ticks must lie in 1 to 300"),
        (["--planted-phi", "1"], "--planted-phi"),
        (["--edge-half-life", "-1"], "half-life"),
    ],
)
def test_what_is_wrong_is_one_line(capsys: Any, arguments: list[str], message: str) -> None:
    assert main(["oracle", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
