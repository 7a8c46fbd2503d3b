"""The calls: one module per group, one function per call.

A handler gets the exchange, the connection and a request that passed its schema. It answers through
``venue.reply`` or raises ``CallError``.
"""

from __future__ import annotations

from collections.abc import Callable

from paper_exchange.calls import account, contract, history, market, multipliers, selling, session
from paper_exchange.calls import buying as trading
from paper_exchange.venue.connections import Connection, Frame
from paper_exchange.venue.state import Venue

Handler = Callable[["Venue", Connection, Frame], None]

HANDLERS: dict[str, Handler] = {
    "ping": session.ping,
    "time": session.time,
    "forget": session.forget,
    "forget_all": session.forget_all,
    "logout": session.logout,
    "active_symbols": market.active_symbols,
    "contracts_for": market.contracts_for,
    "contracts_list": market.contracts_list,
    "trading_times": market.trading_times,
    "ticks": market.ticks,
    "ticks_history": history.ticks_history,
    "proposal": trading.proposal,
    "buy": trading.buy,
    "sell": selling.sell,
    "proposal_open_contract": contract.proposal_open_contract,
    "portfolio": contract.portfolio,
    "profit_table": contract.profit_table,
    "statement": account.statement,
    "transaction": account.transaction,
    "balance": account.balance,
    "cancel": multipliers.cancel,
    "contract_update": multipliers.contract_update,
    "contract_update_history": multipliers.contract_update_history,
}
