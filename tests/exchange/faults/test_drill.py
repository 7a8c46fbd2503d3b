"""The fault drill on a small scale, and that its checks see what they are for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from drills.faults import ACCOUNT, audit, live


def test_lives_under_random_faults_keep_the_books(tmp_path: Path) -> None:
    booked = faults = 0
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        life = live(seed, 0.03, tmp_path / str(seed))
        assert life.violations == []
        booked, faults = booked + life.booked, faults + sum(life.fired.values())
    assert booked > 40, "the runner was not merely cautious"
    assert faults > 30


def told(*events: tuple[str, Any]) -> Any:
    """An exchange whose log says that orders for quotes were received and contracts booked."""
    log = [{"kind": kind, "of": what, "contract_id": what, "account_id": ACCOUNT} for kind, what in events]
    account = SimpleNamespace(balance=100)
    return SimpleNamespace(events=SimpleNamespace(log=log), accounts={ACCOUNT: account})


def ledger(*contracts: int) -> Any:
    intents = [SimpleNamespace(proposal_id=f"q{c}", sent_at=1.0, contract_id=c, state="settled") for c in contracts]
    table = SimpleNamespace(all=lambda: intents, trades=lambda: intents, unresolved=list, open_contracts=list)
    return SimpleNamespace(intents=table, cash=SimpleNamespace(total_cents=lambda: 10_000))


def test_the_checks_see_a_double_purchase_and_an_unknown_one() -> None:
    fine = told(("received", "q1"), ("booked", 1))
    assert audit(fine, ledger(1), halted=False) == []
    twice = told(("received", "q1"), ("booked", 1), ("received", "q1"), ("booked", 2))
    assert any("bought 2 times" in text for text in audit(twice, ledger(1), halted=True))
    assert any("not in the ledger" in text for text in audit(twice, ledger(1), halted=False))
    assert any("never was" in text for text in audit(fine, ledger(1, 3), halted=True))
    assert any("two intents" in text for text in audit(fine, ledger(1, 1), halted=True))
    fine.accounts[ACCOUNT].balance = 99
    assert any("cents" in text for text in audit(fine, ledger(1), halted=False))
