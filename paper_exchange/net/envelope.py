"""What every REST answer is wrapped in, and how a body is read."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from paper_exchange.errors import ExchangeError
from paper_exchange.protocol.decoding import decode_request
from xtitan_core.clock import monotonic

MAX_BODY = 65_536
"""Largest body read, bytes."""

_HTTP_CODES = {404: "NotFound", 405: "MethodNotAllowed"}


class RestError(ExchangeError):
    """A REST request refused, in Deriv's error envelope.

    Args:
        status: of the answer.
        errors: ``(code, message, field)`` each; the field is the name of a header, a query or path parameter, or the
            dotted path into the body, and empty when the error is about none.
    """

    def __init__(self, status: int, *errors: tuple[str, str, str]) -> None:
        super().__init__(f"{status} {errors}")
        self.status, self.errors = status, errors


def refused(status: int, code: str, message: str, field: str = "") -> RestError:
    """A refusal with one error."""
    return RestError(status, (code, message, field))


def begin(request: HttpRequest) -> None:
    """Start the clock of ``meta.timing``."""
    request.state.begun = monotonic()


def answer(request: HttpRequest, data: Any, status: int = 200) -> Response:
    """A successful answer."""
    return JSONResponse({"data": data, "meta": _meta(request)}, status_code=status)


async def rest_error(request: HttpRequest, error: Exception) -> Response:
    """The answer to a refused request."""
    assert isinstance(error, RestError)
    rows = []
    for code, message, field in error.errors:
        row: dict[str, Any] = {"status": error.status, "code": code, "message": message}
        rows.append({**row, "field": field} if field else row)
    return JSONResponse({"errors": rows, "meta": _meta(request)}, status_code=error.status)


async def http_error(request: HttpRequest, error: Exception) -> Response:
    """The answer where no route or no method fits."""
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "BadInputRequest")
    return await rest_error(request, refused(error.status_code, code, error.detail))


async def read_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        RestError: it is none, or too large.
    """
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise refused(413, "BadInputRequest", f"The body is larger than {MAX_BODY} bytes")
    body = decode_request(raw.decode("utf-8", "replace"))
    if body is None:
        raise refused(400, "BadInputRequest", "The body is not a JSON object")
    return body


def _meta(request: HttpRequest) -> dict[str, Any]:
    begun = getattr(request.state, "begun", None)
    timing = 0 if begun is None else int((monotonic() - begun) * 1_000)
    return {"endpoint": request.url.path, "method": request.method, "timing": timing}
