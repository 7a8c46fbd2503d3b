"""The exchange's errors, one tree.

``ExchangeError``
    ``SetupError``: the exchange cannot be started as asked.
    ``CallError``: a request on a socket is refused.
    ``RestError`` (``net.envelope``): a REST request is refused.
    ``OracleError`` (``markets.oracles``): there is no such contract or edge on a planted symbol.
    ``Unanswered`` (``verify.trader``): the exchange did not answer while it was verified.

The command line prints the text of any of them as one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xtitan_core.errors import XtitanError


class ExchangeError(XtitanError):
    """Every error that the exchange raises on purpose."""


class CallError(ExchangeError):
    """A request refused with one of Deriv's error codes.

    Attributes:
        code: Deriv's ``error.code``.
        message: the text a client shows.
        details: field name to text, or None.
        subcode: Deriv's ``error.subcode``, or None.
        code_args: values of the message's template, ``error.code_args``; empty for none.
    """

    def __init__(
        self,
        code: str,
        message: str,
        details: Mapping[str, str] | None = None,
        *,
        subcode: str | None = None,
        args: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.details = code, message, details
        self.subcode, self.code_args = subcode, args

    def body(self) -> dict[str, Any]:
        """The ``error`` member of the answer."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            body["details"] = dict(self.details)
        if self.subcode:
            body["subcode"] = self.subcode
        if self.code_args:
            body["code_args"] = list(self.code_args)
        return body


class SetupError(ExchangeError, ValueError):
    """The exchange cannot be started as asked. The text is one line that also says what to do."""
