"""Deriv's own clients, unmodified, trade here: python-deriv-api 0.1.6 and @deriv/deriv-api 1.0.15.

Each gets a connection to the account's socket, as Deriv's own programs do on the new API, and uses its raw ``send`` and
``subscribe``: their typed calls know only the old API. ``clients/install.sh`` installs both under ``.clients/``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parent / "clients"
INSTALLED = Path(__file__).resolve().parents[2] / ".clients"
COMMANDS = {
    "python-deriv-api": (".python", [str(INSTALLED / "python/bin/python"), str(CLIENTS / "python_client.py")]),
    "@deriv/deriv-api": (".node", [shutil.which("node") or "node", str(CLIENTS / "node_client.js")]),
}


@pytest.mark.parametrize("client", COMMANDS)
def test_a_session_from_the_first_tick_to_the_statement(client: str, server: Callable[..., Any]) -> None:
    stamp, command = COMMANDS[client]
    if not (INSTALLED / stamp).exists():
        pytest.skip(f"{client} is not installed: run tests/exchange/clients/install.sh")
    venue = server(rate=10)
    done = subprocess.run([*command, venue.otp_url()], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)

    check_market(got)
    check_trade(got, venue.get("/paper/truth"))
    assert "Input validation failed: end" in got["refusal"], "a refusal reaches the client as its own error"


def check_market(got: dict[str, Any]) -> None:
    """Ticks in order, and the history that goes with them."""
    assert [frame["tick"]["symbol"] for frame in got["ticks"][:3]] == ["R_100"] * 3
    epochs = [frame["tick"]["epoch"] for frame in got["ticks"]]
    assert epochs == sorted(set(epochs))
    history = got["history"]["history"]
    assert len(history["prices"]) == len(history["times"]) == 10
    known = dict(zip(history["times"], history["prices"], strict=True))
    both = [frame["tick"] for frame in got["ticks"] if frame["tick"]["epoch"] in known]
    assert both
    assert all(tick["quote"] == known[tick["epoch"]] for tick in both)


def check_trade(got: dict[str, Any], truth: dict[str, Any]) -> None:
    """The purchase, its life to settlement, the statement; what the client saw is what happened."""
    bought, price = got["buy"]["buy"], got["proposal"]["proposal"]
    assert bought["buy_price"] == price["ask_price"] == 10
    assert bought["payout"] == price["payout"]

    life = [frame["proposal_open_contract"] for frame in got["life"]]
    last = life[-1]
    assert {state["contract_id"] for state in life} == {bought["contract_id"]}
    assert (life[0]["status"], last["is_sold"]) == ("open", 1)
    entry, *ticks = last["tick_stream"]
    assert len(ticks) == 5
    assert (last["status"] == "won") == (ticks[-1]["tick"] > entry["tick"])

    sold, paid = got["statement"]["statement"]["transactions"]
    assert (sold["action_type"], paid["action_type"]) == ("sell", "buy")
    assert sold["reference_id"] == paid["transaction_id"] == bought["transaction_id"]
    assert sold["amount"] == float(last["sell_price"])
    assert got["forget"]["forget"] == 1

    (contract,) = truth["buys"]
    assert contract["contract_id"] == last["contract_id"]
    assert (contract["status"], contract["sell_price"]) == (last["status"], last["sell_price"])
