"""Each request we build is one Deriv's published schema accepts, and one our allow-list lets through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import VerbRefused
from xtitan_core.deriv.verbs import KNOWN, READ_ONLY, TRADING, verb_of

SCHEMAS = Path(__file__).resolve().parents[3].parent / "shared" / "deriv-schemas" / "new"
CALL = Contract(ContractType.CALL, 5, DurationUnit.TICKS)
RANGE = Contract(ContractType.RANGE, 2, DurationUnit.MINUTES, 1.25, -1.25)
LEVEL = Contract(ContractType.ONETOUCH, 5, DurationUnit.TICKS, 641.5, absolute=True, below=False)
OVER = Contract(ContractType.DIGITOVER, 5, DurationUnit.TICKS, digit=4)
STREAMS = {"ticks", "transaction", "balance", "proposal_open_contract"}

BUILT: list[dict[str, Any]] = [
    requests.proposal("R_100", CALL, 35),
    requests.proposal("R_100", RANGE, 1000, decimals=2),
    requests.proposal("R_100", LEVEL, 1000, decimals=2),
    requests.proposal("R_100", OVER, 1000),
    requests.ticks("R_100"),
    requests.ticks("R_100", "R_50"),
    requests.ticks_history("R_100", 1, 2),
    requests.latest_ticks("R_100", 10),
    requests.transaction(),
    requests.balance(),
    requests.open_contract(),
    requests.open_contract(7),
    requests.portfolio(),
    requests.statement(1, 2),
    requests.statement(1, 2, limit=300, offset=300, action_type="buy"),
    requests.active_symbols(),
    requests.contracts_for("R_100"),
    requests.time(),
    requests.forget("a" * 32),
]


@pytest.mark.parametrize("payload", BUILT, ids=lambda p: verb_of(p, TRADING))
def test_deriv_s_schema_accepts_it(payload: dict[str, Any]) -> None:
    call = verb_of(payload, READ_ONLY)
    path = SCHEMAS / call / "send.json"
    if not path.exists():
        pytest.skip("Deriv's published schemas are not beside this checkout")
    sent = {**payload, "req_id": 1} | ({"subscribe": 1} if call in STREAMS else {})
    jsonschema.Draft4Validator(json.loads(path.read_text())).validate(sent)


def test_a_barrier_is_a_signed_offset() -> None:
    payload = requests.proposal("R_100", RANGE, 1000, decimals=2)
    assert (payload["barrier"], payload["barrier2"]) == ("+1.25", "-1.25")
    assert "barrier" not in requests.proposal("R_100", CALL, 1000)


def test_a_level_and_a_predicted_digit_carry_no_sign() -> None:
    assert requests.proposal("R_100", LEVEL, 1000, decimals=2)["barrier"] == "641.50"
    assert requests.proposal("R_100", OVER, 1000)["barrier"] == "4"


def test_the_stake_is_exactly_the_stake() -> None:
    assert json.dumps(requests.proposal("R_100", CALL, 35)["amount"]) == "0.35"
    for cents in (0, -1):
        with pytest.raises(ValueError, match="positive"):
            requests.proposal("R_100", CALL, cents)


@pytest.mark.parametrize("limit", [0, 301])
def test_a_statement_page_always_fits_a_trading_frame(limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        requests.statement(1, 2, limit=limit)


def test_no_list_but_trading_can_buy_and_nothing_can_sell() -> None:
    assert sorted(TRADING - READ_ONLY) == ["buy"]
    assert not {"sell", "cancel", "contract_update", "auto_start"} & TRADING


@pytest.mark.parametrize("verb", sorted(KNOWN - READ_ONLY))
def test_a_read_only_connection_refuses_what_moves_money_even_hidden_behind_a_harmless_call(verb: str) -> None:
    with pytest.raises(VerbRefused, match=f"may not {verb}"):
        verb_of({verb: 1}, READ_ONLY)
    with pytest.raises(VerbRefused, match="exactly one"):
        verb_of({"ticks": "R_100", verb: 1}, READ_ONLY)


def test_a_request_without_a_known_call_is_refused() -> None:
    with pytest.raises(VerbRefused, match="exactly one"):
        verb_of({"authorize": "token"}, TRADING)
