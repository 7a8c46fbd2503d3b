#!/bin/sh
# Dagster: behind an offset partition mapping, ``all_deps_blocking_checks_passed`` lets a failed day through.
#
# Expected: features of a day need that day's ticks and the day before (a warm-up). The blocking check of the ticks of 3
# January failed, so neither 3 nor 4 January may be asked for.
#
# Seen: both are asked for, each because the other day it needs passed. With the identity mapping the failed day is held
# back. The condition is documented as "all upstream blocking checks have passed"; it is built on ``all_deps_match``,
# which is true as soon as one partition of each dependency matches.
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
DOWNLOADED, FAILED = ("2026-01-02", "2026-01-03", "2026-01-04"), "2026-01-03"


@dg.asset(partitions_def=DAYS)
def ticks() -> None:
    pass


@dg.asset_check(asset=ticks, blocking=True, partitions_def=DAYS)
def sound(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=context.partition_key != FAILED)


def asked_for(mapping: dg.PartitionMapping) -> list[str]:
    """Days of features that the condition asks for, with three days of ticks of which one failed its check."""
    condition = (
        dg.AutomationCondition.missing()
        & ~dg.AutomationCondition.any_deps_missing()
        & dg.AutomationCondition.all_deps_blocking_checks_passed()
    )

    @dg.asset(
        partitions_def=DAYS,
        deps=[dg.AssetDep(ticks, partition_mapping=mapping)],
        automation_condition=condition,
    )
    def features() -> None:
        pass

    definitions = dg.Definitions(assets=[ticks, features], asset_checks=[sound])
    with dg.DagsterInstance.ephemeral() as instance:
        for day in DOWNLOADED:
            dg.materialize([ticks, sound], instance=instance, partition_key=day, raise_on_error=False)
        now = datetime(2026, 1, 12, tzinfo=UTC)
        result = dg.evaluate_automation_conditions(definitions, instance=instance, evaluation_time=now)
        return sorted(result.get_requested_partitions(features.key) or [])


def main() -> int:
    same_day = asked_for(dg.IdentityPartitionMapping())
    with_warm_up = asked_for(dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=0))
    seen = f"ticks of {FAILED} failed; asked for: {same_day} by the same day, {with_warm_up} with the day before"
    as_described = same_day == ["2026-01-02", "2026-01-04"] and with_warm_up == ["2026-01-03", "2026-01-04"]
    print(f"{'reproduced' if as_described else 'CHANGED'}: dagster {dg.__version__}: {seen}")
    return 0 if as_described else 1


if __name__ == "__main__":
    sys.exit(main())
END
