"""Failed runs are appended to a file and, when a webhook is set, posted to it."""

from __future__ import annotations

import json
import os
from typing import Any

import httpx

from xtitan_assets.workspace.paths import Home

WEBHOOK = "XTITAN_ALERT_WEBHOOK"


def alert(home: Home, subject: str, details: dict[str, Any]) -> str:
    """Append one line to ``data/alerts.jsonl`` and post it to the webhook in ``XTITAN_ALERT_WEBHOOK``, if there is one.

    Returns:
        What was done. A webhook that fails is reported here and not raised, because the line on disk is the record.
    """
    line = json.dumps({"subject": subject, **details}, sort_keys=True)
    path = home.data / "alerts.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as log:
        log.write(line + "\n")
    url = os.environ.get(WEBHOOK)
    if not url:
        return f"written to {path}"
    try:
        httpx.post(url, json={"text": subject, **details}, timeout=10.0, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        return f"written to {path}; the webhook failed ({type(error).__name__})"
    return f"written to {path} and posted"
