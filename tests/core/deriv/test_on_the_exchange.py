"""The client against the real paper exchange, in its own process, over its real socket."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.deriv import requests
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.endpoints import public_socket_url
from xtitan_core.deriv.errors import DerivError, VenueError
from xtitan_core.deriv.history import fetch_ticks
from xtitan_core.deriv.protocol import Balance, BuyReceipt, OpenContract, Proposal, Tick
from xtitan_core.deriv.reconnect import PAPER_PACE, connections
from xtitan_core.deriv.records import PortfolioContract, Shortcode, StatementRow, Transaction
from xtitan_core.deriv.rest import RestClient
from xtitan_core.deriv.verbs import READ_ONLY, TRADING

CALL = Contract(ContractType.CALL, 5, DurationUnit.TICKS)


async def test_a_contract_from_quote_to_settlement_with_every_cent_accounted_for(exchange_url: str) -> None:
    async with RestClient(exchange_url, "paper", "1089") as rest:
        account = (await rest.accounts())[0]
        grant = await rest.otp(account.account_id)
    assert grant.paper is not None
    assert grant.paper.mode == "lockstep"
    client = await DerivClient.connect(grant.url, TRADING, paper=grant.paper)
    assert client.kind == "demo"
    await client.enter_lockstep()
    opening = Balance.from_frame(await client.request(requests.balance()))
    assert (opening.loginid, opening.balance_cents) == (account.account_id, account.balance_cents)
    await client.subscribe(requests.transaction())
    first = Tick.from_frame(await client.subscribe(requests.ticks("R_100")))
    quote = Proposal.from_frame(await client.request(requests.proposal("R_100", CALL, 1000)))
    assert quote.ask_cents == 1000
    receipt = BuyReceipt.from_frame(await client.start_buy(quote.id, quote.ask_cents))
    assert receipt.balance_cents == opening.balance_cents - 1000
    code = Shortcode.parse(receipt.shortcode)
    assert (code.contract_type, code.symbol, code.ticks, code.payout_cents) == (
        "CALL",
        "R_100",
        5,
        receipt.payout_cents,
    )
    (held,) = PortfolioContract.list_from_frame(await client.request(requests.portfolio()))
    assert held.contract_id == receipt.contract_id
    state = OpenContract.from_frame(await client.subscribe(requests.open_contract(receipt.contract_id)))
    assert state is not None
    assert not state.is_sold

    cash: list[Transaction] = []
    epochs = [first.epoch]
    async with asyncio.timeout(20):
        while not state.is_sold:
            event = await client.events.get()
            assert event is not None, client.close_reason
            match event["msg_type"]:
                case "tick":
                    epochs.append(Tick.from_frame(event).epoch)
                case "transaction":
                    row = Transaction.from_frame(event)
                    assert row is not None
                    cash.append(row)
                case "proposal_open_contract":
                    update = OpenContract.from_frame(event)
                    assert update is not None
                    state = update
                case "paper_instant":
                    client.ack_instant(event["paper_instant"]["epoch"])
    assert epochs == list(range(first.epoch, epochs[-1] + 1, 2))
    assert state.entry_epoch == receipt.start_time + 2
    assert state.exit_epoch == state.entry_epoch + 10
    assert [(c.action, c.amount_cents) for c in cash] == [("buy", -1000), ("sell", state.sell_cents)]
    rows = StatementRow.list_from_frame(await client.request(requests.statement(receipt.purchase_time, epochs[-1] + 1)))
    assert [(r.transaction_id, r.amount_cents, r.balance_after_cents) for r in rows] == [
        (c.transaction_id, c.amount_cents, c.balance_cents) for c in reversed(cash)
    ]
    assert rows[0].reference_id == receipt.transaction_id
    closing = Balance.from_frame(await client.request(requests.balance()))
    assert closing.balance_cents == opening.balance_cents + sum(c.amount_cents for c in cash)
    await client.close()


async def test_a_proposal_cannot_be_bought_twice_nor_from_another_connection(exchange_url: str) -> None:
    async with RestClient(exchange_url, "paper", "1") as rest:
        one = await DerivClient.connect((await rest.otp("DOT90000002")).url, TRADING)
        two = await DerivClient.connect((await rest.otp("DOT90000002")).url, TRADING, generation=1)
    quote = Proposal.from_frame(await one.request(requests.proposal("R_100", CALL, 100)))
    with pytest.raises(DerivError) as caught:
        await two.start_buy(quote.id, quote.ask_cents)
    assert caught.value.code == "InvalidContractProposal"
    await one.close()
    await two.close()


async def test_a_used_one_time_password_is_refused_in_words(exchange_url: str) -> None:
    async with RestClient(exchange_url, "paper", "1") as rest:
        grant = await rest.otp("DOT90000001")
        client = await DerivClient.connect(grant.url, READ_ONLY)
        with pytest.raises(VenueError, match="expired or used") as caught:
            await DerivClient.connect(grant.url, READ_ONLY)
        assert "otp=" not in str(caught.value)
        await client.close()


async def test_a_wrong_token_and_a_wrong_account_are_refused_in_words(exchange_url: str) -> None:
    async with RestClient(exchange_url, "wrong", "1") as rest:
        with pytest.raises(VenueError, match="check XTITAN_TOKEN"):
            await rest.accounts()
    async with RestClient(exchange_url, "paper", "1") as rest:
        with pytest.raises(VenueError, match=r"check --account"):
            await rest.otp("DOT1")
        await rest.health()


async def test_history_of_two_days_over_the_public_socket_is_gapless(exchange_url: str) -> None:
    client = await DerivClient.connect(public_socket_url(exchange_url), READ_ONLY)
    assert client.kind == "public"
    now = (await client.request(requests.time()))["time"]
    start = now - 2 * 86_400
    epochs, quotes, pip = await fetch_ticks(client, "R_100", start, now)
    assert epochs.tolist() == list(range(start + start % 2, now + 1, 2))
    assert pip == 2
    assert ((quotes * 100).round() == (quotes * 100).round(6)).all()
    with pytest.raises(DerivError):
        await fetch_ticks(client, "NO_SUCH", start, now)
    await client.close()


async def test_sessions_reconnect_to_the_exchange_with_fresh_passwords(exchange_url: str) -> None:
    generations = []
    async with (
        RestClient(exchange_url, "paper", "1") as rest,
        aclosing(connections(rest, "DOT90000001", TRADING, pace=PAPER_PACE)) as clients,
    ):
        async for client in clients:
            generations.append(client.generation)
            assert (await client.request({"ping": 1}))["ping"] == "pong"
            if client.generation == 3:
                break
            await client.close()
    assert generations == [1, 2, 3]
