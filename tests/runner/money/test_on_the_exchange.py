"""The money path against the real paper exchange over its real socket, with a kill -9 between a buy and its answer."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from live_runner.buying.gate import Gate
from live_runner.buying.purchase import Outcome
from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import Limits
from live_runner.ledger import IntentState, Ledger, Order
from live_runner.reconcile.recovery import recover
from live_runner.reconcile.statement import cash_row
from xtitan_core.clock import ManualClock
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.deriv import requests
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import ConnectionLost
from xtitan_core.deriv.records import Transaction
from xtitan_core.deriv.rest import RestClient
from xtitan_core.deriv.verbs import TRADING

ACCOUNT = "DOT90000001"
HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "tests"}
LIMITS = Limits(max_buys_per_minute=100, max_day_loss_cents=500_000)


@pytest.fixture
def exchange() -> Iterator[str]:
    """Address of a real paper exchange in lockstep."""
    command = [str(Path(sys.executable).parent / "paper_exchange"), "serve", "--port", "0", "--history-days", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        ready = re.search(r"url=(\S+)", process.stdout.readline())
        assert ready is not None, "the exchange did not come up"
        yield ready[1]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def trade(url: str, folder: Path, purchases: int) -> dict[str, Any]:
    """Trade one contract every 14 s of the exchange's time until so many were bought, then until all settled."""
    rest = RestClient(url, "paper", "tests")
    grant = await rest.otp(ACCOUNT)
    await rest.aclose()
    assert grant.paper is not None
    clock = ManualClock(grant.paper.epoch)
    ledger = Ledger.open(folder, ACCOUNT, now=clock.now())
    client = await DerivClient.connect(grant.url, TRADING, generation=1, budgets=None)
    try:
        latch = KillLatch.open(folder, ledger, clock.now)
        gate = Gate(ledger, latch, LIMITS, clock)
        await client.enter_lockstep()
        await client.subscribe(requests.transaction())
        await client.subscribe(requests.ticks("R_100"))
        first = await recover(client, ledger, latch, LIMITS, clock.now())
        gate.arm(first)
        outcomes = []
        for _ in range(20_000):
            frame = await client.events.get()
            assert frame is not None, client.close_reason
            if frame["msg_type"] == "transaction":
                row = Transaction.from_frame(frame)
                if row is not None:
                    gate.book(cash_row(row))
            elif frame["msg_type"] == "paper_instant":
                epoch = frame["paper_instant"]["epoch"]
                clock.set(max(clock.now(), epoch))
                if epoch % 14 == 0 and len(ledger.intents.trades()) < purchases:
                    wanted = Order(
                        f"decision-{epoch}",
                        "b" * 64,
                        "m",
                        "R_100",
                        Contract(ContractType.CALL, 5, DurationUnit.TICKS),
                        "USD",
                        1_000,
                        0.6,
                        0.02,
                        0.954,
                    )
                    outcomes.append((await gate.purchase(client, wanted, 0.0)).outcome)
                if len(ledger.intents.trades()) >= purchases and not ledger.intents.open_contracts():
                    break
                client.ack_instant(epoch)
        last = await recover(client, ledger, latch, LIMITS, clock.now())
        return {
            "first": first,
            "last": last,
            "outcomes": outcomes,
            "trades": ledger.intents.trades(),
            "total_cents": ledger.cash.total_cents(),
            "halted": latch.halted,
        }
    finally:
        await client.close()
        ledger.close()


def truth(url: str) -> dict[str, Any]:
    return dict(httpx.get(f"{url}/paper/truth", headers=HEADERS).raise_for_status().json())


def cents(text: str) -> int:
    return int(text.replace(".", ""))


def agrees(url: str, result: dict[str, Any]) -> None:
    """Ledger and exchange agree, to the cent."""
    exchange_says = truth(url)
    ours = {account["account_id"]: account for account in exchange_says["accounts"]}[ACCOUNT]
    assert result["total_cents"] == cents(ours["balance"])
    assert {i.contract_id for i in result["trades"]} == {b["contract_id"] for b in exchange_says["buys"]}
    sold = {b["contract_id"]: cents(b["sell_price"]) for b in exchange_says["buys"]}
    assert {i.contract_id: i.sell_cents for i in result["trades"]} == sold
    assert all(i.state is IntentState.SETTLED for i in result["trades"])


async def test_thirty_contracts_bought_and_settled_to_the_cent(exchange: str, tmp_path: Path) -> None:
    result = await trade(exchange, tmp_path, 30)
    assert result["outcomes"] == [Outcome.BOUGHT] * 30
    assert result["last"].ready
    agrees(exchange, result)


TRADER = """
import asyncio, importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("trader", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
asyncio.run(module.trade(sys.argv[2], Path(sys.argv[3]), 1000))
"""


async def test_killed_between_sending_a_buy_and_its_answer_then_bound_from_the_statement(
    exchange: str, tmp_path: Path
) -> None:
    httpx.post(f"{exchange}/paper/faults", headers=HEADERS, json={"fault": "answer_held", "nth": 6}).raise_for_status()
    runner = subprocess.Popen([sys.executable, "-c", TRADER, __file__, exchange, str(tmp_path)], stderr=subprocess.PIPE)
    try:
        for _ in range(600):
            if any(not buy["answered"] for buy in truth(exchange)["buys"]):
                break
            assert runner.poll() is None, runner.communicate()[1].decode()
            time.sleep(0.05)
        else:
            pytest.fail("the exchange never withheld an answer")
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.communicate()
    held = [buy["contract_id"] for buy in truth(exchange)["buys"] if not buy["answered"]]
    result = await trade(exchange, tmp_path, 10)
    assert [i.contract_id for i in result["first"].bound] == held
    assert result["first"].ready, "one pass resolved it"
    assert not result["halted"]
    assert len(result["trades"]) == 10
    agrees(exchange, result)


async def test_an_answer_that_is_withheld_is_unknown_and_bound_on_the_next_connection(
    exchange: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Gate.__init__

    def impatient(self: Gate, *arguments: Any) -> None:
        honest(self, *arguments, answer_timeout_s=0.3)

    monkeypatch.setattr(Gate, "__init__", impatient)
    real_purchase = Gate.purchase

    async def stop_when_unknown(self: Gate, *arguments: Any) -> Any:
        purchase = await real_purchase(self, *arguments)
        if purchase.outcome is Outcome.UNKNOWN:
            raise ConnectionLost("as the runner does: close and connect anew")
        return purchase

    monkeypatch.setattr(Gate, "purchase", stop_when_unknown)
    httpx.post(f"{exchange}/paper/faults", headers=HEADERS, json={"fault": "answer_held", "nth": 3}).raise_for_status()
    with pytest.raises(ConnectionLost):
        await trade(exchange, tmp_path, 5)
    result = await trade(exchange, tmp_path, 5)
    assert len(result["first"].bound) == 1
    agrees(exchange, result)


async def test_another_client_on_the_account_halts_the_runner(exchange: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    await trade(exchange, tmp_path / "ours", 2)
    await trade_adopting(exchange, other)
    rest = RestClient(exchange, "paper", "tests")
    grant = await rest.otp(ACCOUNT)
    assert grant.paper is not None
    client = await DerivClient.connect(grant.url, TRADING, generation=1, budgets=None)
    ledger = Ledger.open(tmp_path / "ours", ACCOUNT, now=grant.paper.epoch)
    latch = KillLatch.open(tmp_path / "ours", ledger, lambda: float(grant.paper.epoch))
    report = await recover(client, ledger, latch, LIMITS, grant.paper.epoch)
    assert report.halted is not None
    assert "not ours" in report.halted
    assert latch.halted
    await client.close()
    await rest.aclose()
    ledger.close()


async def trade_adopting(url: str, folder: Path) -> None:
    """A second runner with its own state folder: refused at first, then told by a person to go on."""
    refused = await trade(url, folder, 0)
    assert refused["halted"]
    ledger = Ledger.open(folder, ACCOUNT, now=0.0)
    KillLatch.open(folder, ledger, lambda: 0.0).resume("the test's stranger", "test")
    ledger.close()
    assert len((await trade(url, folder, 1))["trades"]) == 1
