"""What holds for every test: one thread for numpy's linear algebra, and no generated case is judged by the clock.

The matrices of the tests are small. Threads that wait for each other over them cost more time than they save, the more
so with a test process on every core; subprocesses inherit the setting. It counts only before numpy is imported.

Hypothesis fails an example that takes longer than 200 ms, and a test whose examples are made too slowly. On a busy machine
both happen to correct code.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("xtitan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xtitan")
