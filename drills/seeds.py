"""The whole demo with five seeds: each must give the same two verdicts and meet every condition."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SEEDS = (1, 2, 3, 4, 5)


def drill() -> dict[str, Any]:
    """Run the demo once per seed, each in a folder of its own."""
    program = str(Path(sys.executable).parent / "xtitan")
    rows: list[dict[str, Any]] = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result.json"
            log = Path(folder) / "log"
            with open(log, "w") as out:
                code = subprocess.run(
                    [program, "demo", "--seed", str(seed), "--json", str(result), "--home", f"{folder}/home"],
                    stdout=out,
                    stderr=out,
                    check=False,
                ).returncode
            if not result.exists():
                print(f"   seed {seed}: exit {code}\n{log.read_text()[-2_000:]}", flush=True)
                rows.append({"seed": seed, "exit": code})
                continue
            document = json.loads(result.read_text())
        failed = [name for name, holds in document["conditions"].items() if not holds]
        verdicts = ", ".join(
            f"{m['name']} {'promoted' if m['promoted'] else 'not promoted'}" for m in document["markets"]
        )
        print(
            f"   seed {seed}: {verdicts}; {document['seconds']:.0f} s; {'FAILS ' + str(failed) if failed else 'ok'}",
            flush=True,
        )
        rows.append(
            {
                "seed": seed,
                "exit": code,
                "seconds": document["seconds"],
                "failed": failed,
                "markets": document["markets"],
            }
        )
    return {"holds": all(row["exit"] == 0 for row in rows), "seeds": rows}
