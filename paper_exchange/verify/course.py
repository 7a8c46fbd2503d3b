"""The course of a verification: an exchange on a free port, the day, the bad requests, the figures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from paper_exchange.errors import SetupError
from paper_exchange.exchange import Exchange
from paper_exchange.net.server import listen, serve
from paper_exchange.venue.truth import truth
from paper_exchange.verify.bad_requests import bad_requests
from paper_exchange.verify.day import evening, market, public_socket, rest_morning, rest_refusals, trading
from paper_exchange.verify.good_requests import GOOD
from paper_exchange.verify.published import REST_CALLS, Published
from paper_exchange.verify.tally import Tally
from paper_exchange.verify.trader import RestClient, Trader, Unanswered

Progress = Callable[[str], None]
"""Takes a line of progress."""


def verify(exchange: Exchange, schemas: Path, progress: Progress) -> Tally:
    """Verify an exchange: a trader's day, then the bad requests.

    Args:
        exchange: in lockstep, not yet listening.
        schemas: folder of Deriv's schemas.
        progress: takes a line of progress.

    Returns:
        The figures of every call; anything wrong is among them.

    Raises:
        SetupError: the schemas cannot be read, or some are missing.
    """
    published = Published(schemas)
    missing = sorted({*GOOD, *REST_CALLS} - set(published.calls))
    if missing:
        raise SetupError(f"the schemas in {published.folder} lack {', '.join(missing)}; point --schemas at Deriv's")
    tally = Tally(published)
    asyncio.run(_course(exchange, tally, progress))
    tally.close()
    return tally


async def _course(exchange: Exchange, tally: Tally, progress: Progress) -> None:
    listener = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(exchange, listener, rate=None, ready=ready.set, stop=stop))
    try:
        await ready.wait()
        await _day(exchange, base, tally, progress)
    except (LookupError, TypeError, ValueError, TimeoutError, Unanswered, ConnectionClosed) as problem:
        tally.violation("day", f"broke off: {type(problem).__name__}: {problem}")
    finally:
        stop.set()
        await serving


async def _day(exchange: Exchange, base: str, tally: Tally, progress: Progress) -> None:
    account = next(iter(exchange.accounts))
    rest = RestClient(base, tally)
    progress("REST: accounts, one-time passwords, bulk purchase")
    url = await rest_morning(rest, account)
    await rest_refusals(rest, account)
    public, trader = await Trader.at(public_socket(base), tally), await Trader.at(url, tally)
    progress("public socket: symbols, offers, ticks, history")
    offered = await market(public)
    progress(f"account socket: a day's trading, {sum(offered.values())} offers on {', '.join(offered)}")
    await trading(trader, offered)
    await _refuse(exchange, tally, trader, progress)
    if (code := await evening(trader)) != 1000:
        tally.violation("logout", f"the socket was closed with {code}, not 1000")
    await public.leave()


async def _refuse(exchange: Exchange, tally: Tally, trader: Trader, progress: Progress) -> None:
    """Send every bad request; none may change the books."""
    await trader.drain()
    before = truth(exchange)
    for call in tally.published.socket_calls:
        requests = [bad for good in GOOD[call] for bad in bad_requests(tally.published, call, good)]
        progress(f"{call}: {len(requests)} bad requests")
        await trader.refuse(call, requests)
    if truth(exchange) != before:
        tally.violation("buy", "a bad request changed the books")
