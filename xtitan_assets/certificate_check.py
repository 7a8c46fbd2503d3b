"""Recompute a promotion certificate from its trades, with nothing but Python's standard library.

    python certificate_check.py certificate.json trades.csv

The stake of each purchase, min(edge / ratio, 1/2) of the free cash, is debited at once and pays stake * (1 + ratio) on
a win. Open contracts are worth nothing. The bankroll is the mean over the edge levels. Exit code 0: trades, wins and
bankrolls hold.
"""

import csv
import hashlib
import json
import sys


def bankroll(rows: list[dict[str, str]], column: str, edges: list[float], haircut: float) -> tuple[float, int, int]:
    """Free cash after all rows that count in ``column``, and the counts of trades and wins."""
    cash, trades, wins = [1.0] * len(edges), 0, 0
    open_stakes: dict[str, list[float]] = {}
    for row in rows:
        if row[column] != "1":
            continue
        ratio = (int(row["payout_cents"]) / int(row["ask_cents"]) - 1) * (1 - haircut)
        if not row["outcome"]:
            if row["trade_id"] in open_stakes:
                sys.exit(f"trade {row['trade_id']} is bought twice")
            stakes = [min(e / ratio, 0.5) * c for e, c in zip(edges, cash, strict=True)]
            cash = [c - s for c, s in zip(cash, stakes, strict=True)]
            open_stakes[row["trade_id"]] = stakes
        else:
            multiple = {"won": 1 + ratio, "lost": 0.0, "refunded": 1.0}[row["outcome"]]
            stakes = open_stakes.pop(row["trade_id"])
            cash = [c + s * multiple for c, s in zip(cash, stakes, strict=True)]
            trades, wins = trades + 1, wins + (row["outcome"] == "won")
    return sum(cash) / len(cash), trades, wins


def main() -> int:
    with open(sys.argv[1]) as f:
        stated = json.load(f)
    with open(sys.argv[2], "rb") as f:
        raw = f.read()
    rows = list(csv.DictReader(raw.decode().splitlines()))
    own, trades, wins = bankroll(rows, "own", stated["edges"], stated["haircut"])
    lineage = bankroll(rows, "lineage", stated["edges"], stated["haircut"])[0]
    promote = own >= stated["need_alone"] or (lineage >= stated["need_lineage"] and own >= stated["need_own"])
    values = {"e_own": own, "e_lineage": lineage, "trades": trades, "wins": wins, "promote": promote}
    values["trades_sha256"] = hashlib.sha256(raw).hexdigest()
    wrong = [
        k for k, v in values.items() if (abs(v - stated[k]) > 1e-9 * abs(v) if isinstance(v, float) else v != stated[k])
    ]
    for name, value in values.items():
        sys.stdout.write(
            f"{name:<14} {value}   {'DIFFERS from ' + str(stated[name]) if name in wrong else 'as certified'}\n"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
