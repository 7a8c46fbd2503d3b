"""What holds for every test: one thread for numpy's linear algebra.

The matrices of the tests are small. Threads that wait for each other over them cost more time than they save, the more
so with a test process on every core; subprocesses inherit the setting. It counts only before numpy is imported.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
