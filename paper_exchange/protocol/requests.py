"""What each call of the new API accepts; the tests compare this table with Deriv's published schemas."""

from __future__ import annotations

from paper_exchange.protocol.schema import Field, RequestSchema

ONE = Field("integer", enum=(1,))
_SYMBOL = Field("string", pattern=r"^\w{2,30}$")
_BARRIER = Field("string", pattern=r"^(?=.{1,20}$)[+-]?[0-9]+\.?[0-9]*$")
_EPOCH = Field("integer", minimum=0, maximum=9_999_999_999)
_COUNT = Field("integer", minimum=0)
_FLAG = Field("integer", enum=(0, 1))
_DATE = Field("string", pattern=r"^([0-9]{4}-(0?[1-9]|1[012])-(0?[1-9]|[12][0-9]|3[01])|[0-9]{1,10})$")
_CONTRACT_TYPES = """
    HIGHER LOWER MULTUP MULTDOWN UPORDOWN EXPIRYRANGE ONETOUCH CALLE ASIAND EXPIRYRANGEE DIGITDIFF DIGITMATCH
    DIGITOVER PUTE DIGITUNDER NOTOUCH CALL RANGE DIGITODD PUT ASIANU EXPIRYMISSE EXPIRYMISS DIGITEVEN TICKHIGH
    TICKLOW RESETCALL RESETPUT RUNHIGH RUNLOW ACCU VANILLALONGCALL VANILLALONGPUT TURBOSLONG TURBOSSHORT
"""
_CONTRACT_TYPE = Field("string", enum=tuple(_CONTRACT_TYPES.split()))
_CONTRACT_TYPE_LIST = Field("array", items=_CONTRACT_TYPE)
_STREAMS = Field(
    "string",
    enum=("balance", "candles", "cashier_payments", "proposal", "proposal_open_contract", "ticks", "transaction"),
)
GRANULARITIES = (60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)
_LIMIT_ORDER = Field("object", members={"stop_loss": Field("number"), "take_profit": Field("number")})
_PRICE_OR_NONE = Field("number", null=True)
_NEW_LIMIT_ORDER = Field("object", members={"stop_loss": _PRICE_OR_NONE, "take_profit": _PRICE_OR_NONE})
_CONTRACT = {
    "amount": Field("number", minimum=0),
    "barrier": _BARRIER,
    "barrier2": _BARRIER,
    "basis": Field("string", enum=("payout", "stake")),
    "cancellation": Field("string", pattern=r"^\w+$"),
    "contract_type": _CONTRACT_TYPE,
    "currency": Field("string", pattern=r"^[a-zA-Z0-9]{2,20}$"),
    "date_expiry": _EPOCH,
    "duration": Field("integer", minimum=0, maximum=99_999_999),
    "duration_unit": Field("string", enum=("d", "m", "s", "h", "t")),
    "growth_rate": Field("number"),
    "limit_order": _LIMIT_ORDER,
    "multiplier": Field("number", minimum=0),
    "payout_per_point": Field("number"),
    "selected_tick": Field("integer"),
    "underlying_symbol": _SYMBOL,
}
_CONTRACT_NEEDS = ("contract_type", "currency", "underlying_symbol")
_PARAMETERS = Field(
    "object",
    members={
        **_CONTRACT,
        "app_markup_percentage": Field("number"),
        "date_expiry": Field("integer", minimum=1, maximum=9_999_999_999),
    },
    required=_CONTRACT_NEEDS,
)

REQUESTS: dict[str, RequestSchema] = {
    "ping": RequestSchema({"ping": ONE}, ("ping",)),
    "time": RequestSchema({"time": ONE}, ("time",)),
    "active_symbols": RequestSchema(
        {"active_symbols": Field("string", enum=("full", "brief")), "contract_type": _CONTRACT_TYPE_LIST},
        ("active_symbols",),
    ),
    "contracts_for": RequestSchema({"contracts_for": _SYMBOL}, ("contracts_for",)),
    "contracts_list": RequestSchema({"contracts_list": ONE}, ("contracts_list",)),
    "trading_times": RequestSchema(
        {"trading_times": Field("string", pattern=r"^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|today)$")}, ("trading_times",)
    ),
    "ticks": RequestSchema(
        {"ticks": Field("string", pattern=r"^\w{2,30}$", otherwise=Field("array", items=_SYMBOL)), "subscribe": ONE},
        ("ticks",),
    ),
    "ticks_history": RequestSchema(
        {
            "ticks_history": _SYMBOL,
            "adjust_start_time": ONE,
            "count": Field("integer"),
            "end": Field("string", pattern=r"^(latest|[0-9]{1,10})$"),
            "granularity": Field("integer", enum=GRANULARITIES),
            "start": _EPOCH,
            "style": Field("string", enum=("candles", "ticks")),
            "subscribe": ONE,
        },
        ("ticks_history", "end"),
    ),
    "proposal": RequestSchema({"proposal": ONE, "subscribe": ONE, **_CONTRACT}, ("proposal", *_CONTRACT_NEEDS)),
    "buy": RequestSchema(
        {
            "buy": Field("string", pattern=r"^(?:[\w-]{32,128}|1)$"),
            "parameters": _PARAMETERS,
            "price": Field("number", minimum=0),
            "subscribe": ONE,
        },
        ("buy", "price"),
        account=True,
    ),
    "sell": RequestSchema({"sell": Field("integer"), "price": Field("number")}, ("sell", "price"), account=True),
    "proposal_open_contract": RequestSchema(
        {"proposal_open_contract": ONE, "contract_id": Field("integer"), "subscribe": ONE},
        ("proposal_open_contract",),
        account=True,
    ),
    "portfolio": RequestSchema({"portfolio": ONE, "contract_type": _CONTRACT_TYPE_LIST}, ("portfolio",), account=True),
    "profit_table": RequestSchema(
        {
            "profit_table": ONE,
            "contract_type": _CONTRACT_TYPE_LIST,
            "date_from": _DATE,
            "date_to": _DATE,
            "description": _FLAG,
            "limit": Field("number", minimum=0, maximum=500),
            "offset": _COUNT,
            "sort": Field("string", enum=("ASC", "DESC")),
        },
        ("profit_table",),
        account=True,
    ),
    "statement": RequestSchema(
        {
            "statement": ONE,
            "action_type": Field("string", enum=("buy", "sell", "deposit", "withdrawal")),
            "date_from": _EPOCH,
            "date_to": _EPOCH,
            "description": _FLAG,
            "limit": Field("number", minimum=0, maximum=999),
            "offset": _COUNT,
        },
        ("statement",),
        account=True,
    ),
    "transaction": RequestSchema({"transaction": ONE, "subscribe": ONE}, ("transaction", "subscribe"), account=True),
    "balance": RequestSchema({"balance": ONE, "subscribe": _FLAG}, ("balance",), account=True),
    "cancel": RequestSchema({"cancel": Field("integer")}, ("cancel",), account=True),
    "contract_update": RequestSchema(
        {"contract_update": ONE, "contract_id": Field("integer"), "limit_order": _NEW_LIMIT_ORDER},
        ("contract_update", "contract_id", "limit_order"),
        account=True,
    ),
    "contract_update_history": RequestSchema(
        {
            "contract_update_history": ONE,
            "contract_id": Field("integer"),
            "limit": Field("number", minimum=1, maximum=999),
        },
        ("contract_update_history", "contract_id"),
        account=True,
    ),
    "forget": RequestSchema({"forget": Field("string", pattern=r"^[\w-]{32,128}$")}, ("forget",)),
    "forget_all": RequestSchema(
        {"forget_all": Field("string", enum=_STREAMS.enum, otherwise=Field("array", items=_STREAMS))}, ("forget_all",)
    ),
    "logout": RequestSchema(
        {"logout": ONE, "loginid": Field("string", pattern=r"^[A-Za-z]+[0-9]+$")}, ("logout",), account=True
    ),
}
"""Every call the exchange serves. A request that names two calls counts as the one that comes first here."""
