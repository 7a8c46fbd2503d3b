#!/bin/sh
# Dagster: a range of days that ends today computes today, succeeds and records nothing for it.
#
# Expected: the day of today is no partition yet (a daily partition exists once its day is over), so a range that ends
# today is refused, as the single partition is, or leaves today out.
#
# Seen: the range is accepted, today stands in ``context.partition_keys`` and is computed, the run succeeds, and a
# materialisation is recorded for every day but today. What was written for the unfinished day stays.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dagster==1.13.27
venv/bin/python - <<'END'
import logging
import os
import sys
import warnings
from datetime import UTC, datetime, timedelta

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
warnings.simplefilter("ignore")

import dagster as dg

logging.disable(logging.CRITICAL)
DAYS = dg.DailyPartitionsDefinition("2026-01-01")
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
computed: list[str] = []


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def ticks(context: dg.AssetExecutionContext) -> None:
    computed.extend(context.partition_keys)


def main() -> int:
    today = datetime.now(UTC).date()
    days = [str(today - timedelta(days=back)) for back in (2, 1, 0)]
    with dg.DagsterInstance.ephemeral() as instance:
        try:
            dg.materialize([ticks], instance=instance, partition_key=days[-1])
            alone = "accepted"
        except dg.DagsterUnknownPartitionError:
            alone = "refused"
        computed.clear()
        run = dg.materialize([ticks], instance=instance, tags={START: days[0], END: days[-1]}, raise_on_error=False)
        recorded = sorted(instance.get_materialized_partitions(ticks.key))
    seen = f"today alone {alone}; the range {'succeeded' if run.success else 'failed'}, computed {computed}, recorded {recorded}"
    as_described = alone == "refused" and run.success and computed == days and recorded == days[:-1]
    print(f"{'reproduced' if as_described else 'CHANGED'}: dagster {dg.__version__}: {seen}")
    return 0 if as_described else 1


if __name__ == "__main__":
    sys.exit(main())
END
