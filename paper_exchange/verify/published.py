"""Deriv's published schemas, read from a folder: what a request, a frame and a REST answer have to satisfy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paper_exchange.errors import SetupError
from paper_exchange.protocol.frames import Frame
from paper_exchange.verify.quick import quick_check

REST_CALLS = ("health", "get_accounts", "create_account", "websocket", "reset_demo_balance", "bulk_purchase")
CALL_OF = {"tick": "ticks", "history": "ticks_history", "candles": "ticks_history", "ohlc": "ticks_history"}
"""The call whose schema a frame falls under, where that is not its ``msg_type``."""

REFUSALS = frozenset({"InputValidationFailed", "UnrecognisedRequest", "BadRequest", "SanityCheckFailed"})
"""Codes of requests that are not well formed."""

_ERROR_KEYS = {"code", "message", "details", "subcode", "code_args"}
OPENAPI = "rest-api-openapi.json"


class Published:
    """The schemas of one folder.

    Args:
        folder: holds ``CALL/send.json``, ``CALL/receive.json`` and the REST description, itself or in ``new``, the
            folder of the new API beside that of the old one.

    Raises:
        SetupError: no such folder, no schemas in it, or no jsonschema to read them with.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import jsonschema  # type: ignore[import-untyped]
        except ImportError:
            raise SetupError("verify needs jsonschema; install xtitan[verify]") from None
        if not (folder / OPENAPI).is_file() and (folder / "new" / OPENAPI).is_file():
            folder /= "new"
        self._library, self.folder = jsonschema, folder
        try:
            self.calls = sorted(path.parent.name for path in folder.glob("*/send.json"))
            self._schemas = {
                (call, way): json.loads((folder / call / f"{way}.json").read_text())
                for call in self.calls
                for way in ("send", "receive")
            }
            self._validators = {key: self._validator(schema) for key, schema in self._schemas.items()}
            self._fine = {key: quick_check(v.schema, v.VALIDATORS) for key, v in self._validators.items()}
            components = json.loads((folder / OPENAPI).read_text())["components"]
        except (OSError, ValueError, LookupError, TypeError, jsonschema.SchemaError) as problem:
            reason = " ".join(str(problem).split())[:200]
            raise SetupError(f"cannot read the schemas in {folder}: {reason}; point --schemas at Deriv's") from None
        if not self.calls:
            raise SetupError(f"there are no schemas in {folder}; it must hold CALL/send.json and CALL/receive.json")
        error = {"$ref": "#/components/schemas/Error", "components": components}
        self._rest_error = jsonschema.Draft202012Validator(error)

    @property
    def socket_calls(self) -> list[str]:
        """The calls of the websocket."""
        return [call for call in self.calls if call not in REST_CALLS]

    def request_schema(self, call: str) -> dict[str, Any]:
        """What a call accepts, as JSON schema."""
        return dict(self._schemas[call, "send"])

    def valid_for(self, schema: Mapping[str, Any], whole: Mapping[str, Any], value: Any) -> bool:
        """True when ``value`` satisfies ``schema``, a part of the schema ``whole``."""
        rooted = {**schema, "definitions": whole.get("definitions", {})}
        return bool(self._library.Draft4Validator(rooted).is_valid(value))

    def request_problems(self, call: str, request: Frame) -> list[str]:
        """Why Deriv would refuse a request."""
        return self._problems(call, "send", request)

    def frame_problems(self, frame: Frame) -> list[str]:
        """Why Deriv could not have sent a frame."""
        kind = frame.get("msg_type")
        if "error" in frame:
            return _error_problems(frame)
        call = CALL_OF.get(str(kind), str(kind))
        if call not in self.calls or call in REST_CALLS:
            return [f"msg_type {kind!r} is none of Deriv's"]
        if kind == "statement" and isinstance(frame.get("statement"), dict):
            frame = {**frame, "statement": _without_app_id(frame["statement"])}
        problems = self._problems(call, "receive", frame)
        if not isinstance(frame.get("echo_req"), dict):
            problems.append("echo_req: missing")
        return problems

    def answer_problems(self, call: str, status: int, body: Any) -> list[str]:
        """Why Deriv's REST side could not have answered so."""
        if status < 400:
            return self._problems(call, "receive", body)
        problems = [_line(error) for error in self._rest_error.iter_errors(body)]
        if not problems and body["errors"][0]["status"] != status:
            problems.append(f"status {status} with an error of status {body['errors'][0]['status']}")
        return problems

    def validator(self, call: str, way: str) -> Any:
        """jsonschema's validator of one call, ``send`` or ``receive``."""
        return self._validators[call, way]

    def _validator(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            raise TypeError(f"a schema is an object, not {str(schema)[:40]!r}")
        seventh = "draft-07" in schema.get("$schema", "")
        kind = self._library.Draft7Validator if seventh else self._library.Draft4Validator
        kind.check_schema(schema)
        return kind(schema)

    def _problems(self, call: str, way: str, value: Any) -> list[str]:
        if self._fine[call, way](value):
            return []
        return [_line(error) for error in self.validator(call, way).iter_errors(value)]


def _without_app_id(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Rows as the schema lists them: the live service's carry ``app_id`` too, the one deviation on record."""
    rows = [{k: v for k, v in row.items() if k != "app_id"} for row in statement.get("transactions", ())]
    return {**statement, "transactions": rows}


def _error_problems(frame: Frame) -> list[str]:
    error = frame["error"]
    problems = []
    if set(frame) - {"echo_req", "error", "msg_type", "req_id"}:
        problems.append(f"an error frame has {sorted(frame)}")
    if not isinstance(frame.get("echo_req"), dict) or not isinstance(frame.get("msg_type"), str):
        problems.append("an error frame needs echo_req and msg_type")
    if not isinstance(error, dict) or not {"code", "message"} <= set(error) <= _ERROR_KEYS:
        return [*problems, f"error: {error!r}"]
    if not all(isinstance(error[key], str) and error[key] for key in ("code", "message")):
        problems.append("error: code and message are texts")
    if not isinstance(error.get("details", {}), dict):
        problems.append("error: details is an object")
    return problems


def _line(error: Any) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "(root)"
    return f"{where}: {error.message[:200]}"
