"""The one module of the trading packages that may draw random numbers (a lint in the tests refuses every other).

Simulation draws from seeded generators that are named after what they draw, so adding one stream never shifts
another. Tokens and ids that must not be guessed come from the operating system.
"""

from __future__ import annotations

import hashlib
import secrets

import numpy as np

_VARIANT = "89ab" * 4
"""The digit that marks a UUID of RFC 9562, by the digit it replaces."""


def stream(seed: int, *names: object) -> np.random.Generator:
    """A reproducible generator for one named purpose, the same on every machine.

    Args:
        seed: the run's seed.
        names: what is drawn, for example ``("ticks", "R_100", day)``.
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return np.random.Generator(np.random.Philox(key=int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")))


def seeded_uuid(seed: int, *names: object) -> str:
    """A UUID of version 4 that depends only on its arguments."""
    text = "\x1f".join([str(seed), *map(str, names)])
    h = hashlib.sha256(text.encode()).hexdigest()
    # As uuid.UUID would set version and variant, at half the cost: every quote gets one.
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[int(h[16], 16)]}{h[17:20]}-{h[20:32]}"


def token(bytes_: int = 32) -> str:
    """An unguessable token, hexadecimal."""
    return secrets.token_hex(bytes_)


def jitter(limit: float) -> float:
    """A uniform random delay in [0, limit) seconds, to spread reconnects."""
    return secrets.randbelow(1_000_000) / 1_000_000 * limit
