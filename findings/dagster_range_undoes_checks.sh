#!/bin/sh
# Dagster: one range materialisation takes away the passed checks of days that had theirs.
#
# Expected: three days of ticks passed their blocking check one by one, so features of all three may be asked for. Making
# the same three days again as one range, whose check passes, changes nothing about that.
#
# Seen: the range leaves one check result that belongs to no partition. From then on ``all_deps_blocking_checks_passed``
# is false for all three days and nothing below is asked for. No run fails and nothing is logged.
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
from datetime import UTC, datetime

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
warnings.simplefilter("ignore")

import dagster as dg

logging.disable(logging.CRITICAL)
DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-11")
MADE = ["2026-01-02", "2026-01-03", "2026-01-04"]
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def ticks() -> None:
    pass


@dg.asset_check(asset=ticks, blocking=True, partitions_def=DAYS)
def sound() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset(
    partitions_def=DAYS,
    deps=[ticks],
    automation_condition=dg.AutomationCondition.missing() & dg.AutomationCondition.all_deps_blocking_checks_passed(),
)
def features() -> None:
    pass


def asked_for(instance: dg.DagsterInstance) -> list[str]:
    """Days of features that the condition asks for."""
    definitions = dg.Definitions(assets=[ticks, features], asset_checks=[sound])
    now = datetime(2026, 1, 12, tzinfo=UTC)
    result = dg.evaluate_automation_conditions(definitions, instance=instance, evaluation_time=now)
    return sorted(result.get_requested_partitions(features.key) or [])


def main() -> int:
    with dg.DagsterInstance.ephemeral() as instance:
        for day in MADE:
            dg.materialize([ticks, sound], instance=instance, partition_key=day)
        one_by_one = asked_for(instance)
        run = dg.materialize([ticks, sound], instance=instance, tags={START: MADE[0], END: MADE[-1]})
        passed = [result.passed for result in run.get_asset_check_evaluations()]
        after_range = asked_for(instance)
    seen = (
        f"asked for after one run a day: {one_by_one}; after the same days as a range, checks {passed}: {after_range}"
    )
    as_described = one_by_one == MADE and passed == [True] and after_range == []
    print(f"{'reproduced' if as_described else 'CHANGED'}: dagster {dg.__version__}: {seen}")
    return 0 if as_described else 1


if __name__ == "__main__":
    sys.exit(main())
END
