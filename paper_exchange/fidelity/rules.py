"""The table of the rules this exchange keeps: what it does, how that is known, and what is not known yet.

``docs/fidelity.md`` is made from this table. Rules that only a live account can settle are assumptions: every answer to
them is built in, and ``fidelity.assumptions`` tells which one is in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Known(StrEnum):
    """How a rule is known, the strongest first."""

    SCHEMA = "schema"
    RECORDING = "recording"
    DOCUMENTATION = "documentation"
    THIRD_PARTY = "third party"
    ASSUMPTION = "assumption"
    CHOICE = "our choice"
    DIFFERENCE = "deliberate difference"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        key: its name; of an assumption, what ``--assume`` takes.
        does: what the exchange does.
        known: how that is known.
        source: where that is known from; of an assumption the evidence for its answers; of a difference the reason.
        choices: of an assumption, every answer and what it means, the one in force without ``--assume`` first.
    """

    key: str
    does: str
    known: Known
    source: str
    choices: Mapping[str, str] = field(default_factory=dict)


def _assumption(key: str, question: str, source: str, **choices: str) -> Rule:
    """An open question; an answer that is a number is written with an underscore in front here."""
    return Rule(key, question, Known.ASSUMPTION, source, {k.removeprefix("_"): v for k, v in choices.items()})


SCHEMA, RECORDING, DOCUMENTATION = Known.SCHEMA, Known.RECORDING, Known.DOCUMENTATION
THIRD_PARTY, OUR_CHOICE, DIFFERENCE = Known.THIRD_PARTY, Known.CHOICE, Known.DIFFERENCE
_FRAMES = "frames of the new API, R_50, September 2026"

RULES: tuple[Rule, ...] = (
    # The wire
    Rule("response_schemas", "Every frame out satisfies the call's response schema.", SCHEMA, "`paper_exchange verify`"),
    Rule("closed_requests", "A missing, unknown or mistyped member is refused as `InputValidationFailed`.", SCHEMA, "`verify`; the wording is recorded"),
    Rule("subscribe_one", "`subscribe` takes 1 alone; `balance` takes 0 as well.", SCHEMA, "and a live error"),
    Rule("echo_and_ids", "`req_id` comes back at the top and in `echo_req`, `passthrough` in `echo_req` only; neither is stored.", RECORDING, _FRAMES),
    Rule("stream_frames", "Every frame of a stream repeats request, `req_id` and `subscription.id` of its subscription.", RECORDING, _FRAMES),
    Rule("which_call", "The first known call among a request's members decides; none: `UnrecognisedRequest`; no object: `BadRequest`.", DOCUMENTATION, "Deriv's published front-end framework"),
    Rule("odd_keys", "Member names outside letters, digits, `_` and `-` are refused as `SanityCheckFailed`.", DOCUMENTATION, "the same framework"),
    Rule("numbers", "Prices are JSON numbers without trailing zeros; in contract states money and spots are padded texts.", RECORDING, _FRAMES),
    Rule("decoding", "JSON is strict: no NaN, no number beyond a double, integers of 64 bits (a larger one is a number), 64 levels deep; else `BadRequest`. So is a binary frame.", OUR_CHOICE, "the limits of the real front end are not published"),
    Rule("broken_frames", "A message of more than 1 MiB closes the socket with 1009, text that is no UTF-8 with 1007.", OUR_CHOICE, "codes of the websocket standard; the real size is not published"),
    Rule("multiplier_calls", "`cancel` and `contract_update` fail on every contract, `contract_update_history` is empty.", OUR_CHOICE, "no multiplier is on offer; the code of the second failure is ours"),
    Rule("one_user", "All accounts belong to one user: they share sockets and budgets.", DOCUMENTATION, "one token lists them all"),
    Rule("idle_requests", "Only requests keep a socket open: neither streams nor pings of the websocket protocol do.", DOCUMENTATION, "the old API's documentation speaks of inactivity and its `ping` call"),
    Rule("subscription_caps", "100 subscriptions a socket; the same one twice is `AlreadySubscribed`.", DOCUMENTATION, "Deriv's overview of the API; the error by others' reports"),
    Rule("sockets_per_user", "5 sockets a user at a time.", DOCUMENTATION, "Deriv's overview of the API"),
    Rule("budgets", "Requests a minute and an hour by group of calls; the smaller of two published tables, fixed windows.", DOCUMENTATION, "limits page and API overview; the windows are a guess"),
    Rule("one_time_password", "Good for 120 s and for one upgrade, for its account only.", SCHEMA, "the REST description"),
    Rule("rest_envelope", "Errors come as `errors[]` with status, code, message, and `meta`.", SCHEMA, "the REST description"),
    Rule("bulk_purchase", "Named twice, an account buys twice; the REST call has no key that would prevent it.", SCHEMA, "the REST description"),
    # Orders
    Rule("proposal_once", "A price is bought once, on the connection that asked for it; then it is `Unknown contract proposal`.", THIRD_PARTY, "reports and an old client's test; the schema calls the id per-connection"),
    Rule("start_is_purchase", "A contract starts at the second of its purchase, not of its quote.", RECORDING, _FRAMES),
    Rule("frame_order", "Answer to `buy`, then `transaction`, then the contract's state; the same order when it is settled.", RECORDING, _FRAMES),
    Rule("current_price", "A purchase executes at the current price.", RECORDING, "JD100 in mid 2026: 17 of 22 purchases paid less than their quote"),
    Rule("no_order_id", "There is no client order id: `buy` with `\"1\"` sent twice buys twice.", SCHEMA, "the request schema is closed"),
    Rule("statement_rows", "Newest first, `date_to` exclusive, a sale refers to its purchase's transaction, rows carry `app_id`.", RECORDING, f"{_FRAMES}; `app_id` is in no schema"),
    Rule("profit_table_dates", "`date_from` and `date_to` are texts, a day or an epoch; `statement` takes numbers. A day as `date_to` counts whole, an epoch is exclusive.", SCHEMA, "the request schemas; that the day counts whole is a guess"),
    Rule("zero_sale", "A lost contract is sold for 0.00, and the transaction is sent.", RECORDING, _FRAMES),
    # Contracts
    Rule("entry_tick", "The entry is the first tick strictly after the start second.", RECORDING, _FRAMES),
    Rule("exit_tick", "The exit is the last tick at or before the end; of N ticks the N-th after the entry.", RECORDING, f"{_FRAMES}; a statement row of 2024 for ticks"),
    Rule("digit_ticks", "In digit contracts the entry is tick 1 of N; the digit is that of the padded quote.", DOCUMENTATION, "Deriv's own trading application"),
    Rule("settled_after", "Settled when the first tick after the end arrives.", RECORDING, _FRAMES),
    Rule("ties", "CALL, PUT, HIGHER, LOWER lose on equality, CALLE and PUTE win; reaching a barrier is touching it; EXPIRYRANGE and EXPIRYMISS both lose on it, their E forms win.", DOCUMENTATION, "Deriv's explanations of its contracts"),
    Rule("early_end", "A touch ends ONETOUCH, NOTOUCH, RANGE and UPORDOWN at that tick.", DOCUMENTATION, "the same"),
    Rule("refunds", "Stake back with fewer than two ticks between start and end, or when N ticks take longer than 300 s.", DOCUMENTATION, "the same"),
    Rule("offered", "Types and durations on volatility indices as in `contracts_for` of R_100; digits and rise/fall on jump indices; rise/fall on forex and gold; nothing on BOOM, CRASH and step.", RECORDING, "`contracts_for`, 14 September 2026; jump and forex by others' reports"),
    Rule("barriers", "Signed: from the entry quote; unsigned: a level. A day and longer: levels only.", SCHEMA, "texts of the request schema; `contracts_for`"),
    Rule("barrier_limits", "A level lies between a quarter and two and a half times the spot, a touch barrier at least a pip away.", OUR_CHOICE, "Deriv's limits are not published; a barrier 1 % away was quoted for 60 s, so they are wide"),
    Rule("barrier_errors", "Codes and sentences of refused barriers and digits.", DOCUMENTATION, "Deriv's own client keeps them by code; recorded: `InvalidBarrierSingle`, and `InvalidBarrier` as a subcode"),
    Rule("longcodes", "Sentences and shortcodes of every type; a level in a shortcode is in millionths, odd and even digits have none.", RECORDING, "rise/fall and digits as recorded, the others as the old API spelled them; those of the E forms are ours"),
    Rule("open_payouts", "Payouts of open contracts sum to at most 100,000.00, and there are at most 100 of them.", OUR_CHOICE, "Deriv has both limits, by account; their sizes are not published"),
    Rule("no_stream_tick_passed", "A tick contract's state has `tick_count` and `tick_stream`; `tick_passed` is for accumulators.", SCHEMA, "the response schema"),
    Rule("audit_details", "Two ticks before the start second, that second, the entry and two more; the exit with two before it, the end second, the first tick after it.", RECORDING, _FRAMES),
    Rule("worth_before_entry", "Before the entry tick a state's `bid_price` means nothing: payout less commission for CALL, 0.00 for PUT, as if the level were zero.", RECORDING, f"{_FRAMES}: 18.25 and 0.00 of 18.83"),
    Rule("settlement_after_close", "A contract that ends with its market's week is settled by the first tick of the next.", DIFFERENCE, "Deriv settles it at the close; here a tick after the end is always waited for"),
    Rule("end_of_time", "Where the ticks of a recording or a simulation end, open contracts get their stake back; what a touch or a sale could have ended before gets its bid where that is less.", DIFFERENCE, "Deriv's markets do not end; the stake back alone would make ONETOUCH, UPORDOWN and resale an option for nothing"),
    Rule("maintenance", "In a scheduled window sockets are closed with 1001, logins answer 503, purchases MarketIsClosed.", OUR_CHOICE, "Deriv announces such windows; how they look from outside was never recorded"),
    # Prices
    Rule("price", "ask = payout * (probability + commission), to the cent, half up.", RECORDING, "337 observed payouts, 2017 to 2026"),
    Rule("least_commission", "The commission is at least 0.02 USD a contract.", RECORDING, "the same; 153 digit payouts at stake 1"),
    Rule("no_credit_for_ties", "What loses on equality is priced as if there were none; what wins on it is charged for it.", RECORDING, "R_100 1-tick CALL: 19.23 at 0.0201, not 19.70; the charge is ours, a free tie would be worth more than the commission"),
    Rule("missing_ticks", "While a tick is missing, levels, barriers of a life in seconds, CALLE and PUTE in seconds are not sold and nothing is bought back: `OldMarketData`.", DOCUMENTATION, "Deriv's published pricing refuses an old quote, its delay is longer; without it whoever sees a gap in a recording buys what the stale quote makes cheap"),
    Rule("few_pips_a_tick", "Where a tick moves the price by eight pips or less, what wins on equality and digits are charged for what the quotes show of the price's place within its pip, and bids are lowered by it.", OUR_CHOICE, "no recorded market is that slow; without it whoever keeps count wins below two and a half pips a tick"),
    Rule("commission_table", "A commission by date, symbol, type and duration, shipped as `commissions.csv`.", RECORDING, "337 observed payouts"),
    Rule("bid", "A running contract is worth payout * (probability - commission).", RECORDING, _FRAMES),
    Rule("limits", "Stake at least 0.35, payout at most 10,000.00.", RECORDING, "`validation_params`"),
    Rule("constant_prices", "A `proposal` stream sends nothing more where the price cannot move.", SCHEMA, "text of the request schema"),
    # Markets
    Rule("volatility_indices", "Gaussian log returns at the nominal volatility, no drift, no memory; R_* tick on even seconds, 1HZ* on every one.", RECORDING, "about 370,000 ticks, April 2026"),
    Rule("boom_crash", "Small steps of one sign averaging 0.001/N and, once in N ticks, one of the other that balances them.", RECORDING, "six series of 2026"),
    Rule("step_index", "A fair coin: 0.1 up or down on every tick.", RECORDING, "30,000 ticks of stpRNG"),
    Rule("jump_indices", "Gaussian ticks and, three times an hour on average, a jump of 30 tick deviations.", DOCUMENTATION, "Deriv's description of the indices; no recording was found"),
    Rule("forex", "One quote at most a second, trading hours, heavy tails and clustering as in minute candles of 2025; closed at weekends.", RECORDING, "candles of 2025 for the shape"),
    Rule("forex_hours", "Forex and gold quote from Monday 00:00 to Friday 20:55 UTC. Contracts shorter than five hours are refused from 21:00 to midnight; those shorter than a day end on their trading day. No holidays, no daylight saving.", THIRD_PARTY, "the weekend in candles of 2025; the night by others' reports, in Deriv's sentence"),
    Rule("generator", "Seeded pseudo-random numbers: the same seed, the same market.", DIFFERENCE, "Deriv draws from a cryptographic generator"),
    Rule("forex_cadence", "Forex and gold tick about every 1.3 s.", OUR_CHOICE, "no recording of Deriv's own was found"),
    Rule("demo_commission", "The second account is quoted 0.031 where the first is quoted the table.", RECORDING, "one demo account, September 2026; why it was is unknown, `--commission` takes either"),
    Rule("tick_spread", "Bid and ask of a tick lie a fixed fraction around its quote.", RECORDING, f"{_FRAMES}; measured on that one symbol"),
    Rule("history_count", "`ticks_history` gives at most 5,000 rows.", THIRD_PARTY, "so on the old API"),
    Rule("nothing_open", "`proposal_open_contract` with nothing open answers an empty object, and a subscription where one was asked for.", THIRD_PARTY, "so on the old API"),
    # What is not here
    Rule("no_real_accounts", "Demo accounts alone; a real one cannot be opened.", DIFFERENCE, "there is no money here"),
    Rule("token", "The token is `paper`; no OAuth, no scopes.", DIFFERENCE, "there is nothing to protect here"),
    Rule("not_offered", "Asian, reset, runs, high/low ticks, accumulators, multipliers, turbos, vanillas are not listed and refused.", DIFFERENCE, "nothing of x.titan trades them; Deriv lists them"),
    Rule("paper_messages", "`paper_lockstep`, `paper_ack` and `/paper/...` exist beside Deriv's calls; the one-time password's answer carries the clock.", DIFFERENCE, "time has to be driven; no client meets them unasked"),
    Rule("history_reach", "History goes back `--history-days` and no further.", DIFFERENCE, "it is made, not kept"),
    Rule("paper_time", "Venue time lies at least 90 days back.", DIFFERENCE, "partitions in the future are refused by the pipeline"),
    # Open questions
    _assumption("proposal_life", "How long can a price be bought that was asked for once?", "not published; old clients asked again within seconds", _60="60 seconds", _10="10 seconds"),
    _assumption("proposal_stream_after_buy", "Does buying a streamed price end its stream?", "Deriv's client says so in a comment; nobody recorded it", ends="it ends", stays="it goes on, and its next frame can be bought"),
    _assumption("price_tolerance", "How much worse than its quote may a purchase become before `PriceMoved`?", "a tolerance is documented, its size is not", half="half the commission, in probability", none="not at all"),
    _assumption("resale", "When can a running contract be sold back?", "short contracts were recorded as not for resale, no sale was", remaining="on volatility indices, while what remains of its life is itself on offer", never="never"),
    _assumption("daily_expiry", "When does a contract of N days end?", "the documentation speaks of the end of the trading day; no life was recorded", trading_day="at the end of the trading day N days on", **{"24h": "N times 24 hours after its start"}),
    _assumption("touch_monitoring", "Are barrier contracts priced for a path that is watched at ticks, or all the time?", "one NOTOUCH price is all that was recorded", discrete="at ticks: as they are settled", continuous="all the time: a touch is dearer, staying cheaper, and the difference is the player's"),
    _assumption("sell_after_end", "What does `sell` say of a contract that is over?", "Deriv's bot takes either for closed", ContractAlreadySold="`ContractAlreadySold`, as the contract's state does", NoOpenPosition="`NoOpenPosition`"),
    _assumption("higher_lower_shown", "What are HIGHER and LOWER called in contract states, `portfolio` and `profit_table`?", "shortcodes call them CALL and PUT; of the rest a third party saw the same, not always", shortcode="CALL and PUT, as in the shortcode", own="HIGHER and LOWER"),
    _assumption("profit_table_by", "Which time do `date_from` and `date_to` of `profit_table` mean, and its order?", "the schema says date and no more", purchase="that of the purchase", sale="that of the sale"),
    _assumption("statement_delay", "How long until a row is in the statement?", "recorded within seconds; a back end under load was never watched", _0="it is there at once", _30="30 s of venue time"),
    _assumption("closed_stream", "What does a subscription to the ticks of a closed market answer?", "the old API refused it; the new one was not asked", refused="`MarketIsClosed`", waits="the latest tick, and the stream waits for the next"),
    _assumption("poc_account_id", "What is `account_id` in a contract's state?", "the schema says a number, the recordings had theirs replaced by a text", number="a number", string="the account's name"),
    _assumption("tick_count_leading", "Does the tick stream of a tick contract begin with the entry?", "a third party met one tick more on 1HZ and JD; a statement row of 2024 fits the plain rule", plain="it begins with the entry", extra="on 1HZ and JD the tick before comes first"),
    _assumption("idle_close", "When is a socket closed that sends no request?", "two minutes on the old API, nothing published for the new one", _120="after 120 s of wall time", never="never"),
    _assumption("idle_close_code", "With which code is an idle socket closed?", "not published", _1000="1000, a normal end", _1001="1001, going away", _1006="1006, the line is cut", _1011="1011, an error"),
    _assumption("budgets_per", "Whom do request budgets count?", "a limit hit on the first request of a connection: wider than a connection; documents name both", user="all sockets of a user, on the public socket of an address", connection="each socket"),
)  # fmt: skip

BY_KEY: Mapping[str, Rule] = {rule.key: rule for rule in RULES}
