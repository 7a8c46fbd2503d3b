"""Everything that can go wrong between us and the venue. Each message is one line and never carries a secret."""

from __future__ import annotations

from xtitan_core.errors import XtitanError


class DerivClientError(XtitanError):
    """Base of every error of this package."""


class VenueError(DerivClientError):
    """The venue cannot be used as asked: unreachable, token refused, no such account.

    Attributes:
        code: ``Unreachable``, ``Refused``, ``BadAnswer``, ``BadAddress``, or the venue's own code (``Unauthorized``).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def transient(self) -> bool:
        """True when trying again later may help."""
        return self.code in TRANSIENT_VENUE_CODES


TRANSIENT_VENUE_CODES = frozenset({"Unreachable", "RateLimit", "InternalServerError", "Refused"})


class FrameError(DerivClientError, ValueError):
    """A frame that does not have the shape Deriv's schemas promise, or a number that is not finite."""


class DerivError(DerivClientError):
    """The venue answered a request with an error frame.

    Attributes:
        code: Deriv's code, for example ``RateLimit``.
        message: Deriv's text.
        call: the call that failed (``msg_type`` of the frame).
        details: text per field, when Deriv gave any.
    """

    def __init__(self, code: str, message: str, call: str = "", details: dict[str, object] | None = None) -> None:
        super().__init__(f"{call or 'request'}: {code}: {message}")
        self.code, self.message, self.call, self.details = code, message, call, details or {}


class RequestTimeout(DerivClientError):
    """No answer in time. The request may still have been carried out."""


class ConnectionLost(DerivClientError):
    """The socket closed. A request that was waiting may still have been carried out."""


class NotSent(DerivClientError):
    """Refused on our side before a single byte was written: proof that the venue never saw the request."""


class NotConnected(NotSent, ConnectionLost):
    """The socket was already closed when the request was made."""


class VerbRefused(NotSent):
    """The request's verb is not in this connection's allow-list."""


class BudgetExhausted(NotSent):
    """Sending now would pass our share of Deriv's published request budget."""
