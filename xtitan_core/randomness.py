"""The one module of the trading packages that may draw random numbers (a lint in the tests refuses every other).

Simulation draws from seeded generators that are named after what they draw, so adding one stream never shifts
another. Tokens and ids that must not be guessed come from the operating system.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid

import numpy as np


def stream(seed: int, *names: object) -> np.random.Generator:
    """A reproducible generator for one named purpose, the same on every machine.

    Args:
        seed: the run's seed.
        names: what is drawn, for example ``("ticks", "R_100", day)``.
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return np.random.Generator(np.random.Philox(key=int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")))


def seeded_uuid(seed: int, *names: object) -> str:
    """A UUID that depends only on its arguments."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


def token(bytes_: int = 32) -> str:
    """An unguessable token, hexadecimal."""
    return secrets.token_hex(bytes_)


def jitter(limit: float) -> float:
    """A uniform random delay in [0, limit) seconds, to spread reconnects."""
    return secrets.randbelow(1_000_000) / 1_000_000 * limit
