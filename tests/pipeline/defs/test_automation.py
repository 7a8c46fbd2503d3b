"""Who starts what, and when: conditions, schedules and sensors, and that none of them stampedes or falls silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.reports import shadow_report
from xtitan_assets.defs.automation import schedules, sensors
from xtitan_assets.defs.automation.run_requests import MAX_ATTEMPTS, Cursor, LastRun, next_request
from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.runs.instance import WORKSPACE_TAG, close_abandoned
from xtitan_assets.steps.automation import triggers
from xtitan_assets.steps.dataset.snapshot import DatasetReport
from xtitan_assets.steps.ingest.ticks import midnight, write_day
from xtitan_assets.steps.shadow.drift import DriftReport
from xtitan_assets.workspace.partitions import key, split, symbol_day
from xtitan_assets.workspace.paths import Home
from xtitan_core.journal import GENESIS, HaltRecord, write_segment
from xtitan_core.randomness import stream

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


# -- partitions -----------------------------------------------------------------------------------------------------


def test_partition_keys_survive_the_way_there_and_back() -> None:
    wanted = [("R_100", date(2026, 3, 1)), ("PLANTED_100", date(2026, 2, 28))]
    keys = [key(*pair) for pair in wanted]
    assert split(keys) == wanted
    assert set(keys) <= set(symbol_day.get_partition_keys(NOW))


def test_features_of_a_day_depend_on_the_day_before_of_the_same_symbol(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    mapping = graph.get_partition_mapping(dg.AssetKey("features"), dg.AssetKey("ticks_raw"))
    upstream = mapping.get_upstream_mapped_partitions_result_for_partitions(
        symbol_day.subset_with_partition_keys([key("R_100", date(2026, 3, 1))]), symbol_day, symbol_day, NOW
    )
    found = set(upstream.partitions_subset.get_partition_keys())
    assert found == {key("R_100", date(2026, 2, 28)), key("R_100", date(2026, 3, 1))}


# -- conditions -----------------------------------------------------------------------------------------------------


class Daemon:
    """Evaluates the automation conditions of the per-day assets as Dagster's daemon does, after real ingest runs."""

    def __init__(self, home: Home, definitions: dg.Definitions) -> None:
        self.home = home
        self.definitions = definitions
        self.instance = dg.DagsterInstance.ephemeral(tempdir=str(home.root / "instance"))
        self.cursor: Any = None

    def ticks_arrive(self, day: date, *, good: bool = True) -> None:
        """A day is on disk and the ingest job has run for it, checks included."""
        epochs = midnight(day) + 2 * np.arange(43_200, dtype=np.int64)
        quotes = 640.0 * np.exp(np.cumsum(2.5e-4 * stream(1, "automation", day).standard_normal(43_200)))
        if not good:
            quotes[[100, 200, 300]] *= 1.05
        note = {"rows": 43_200, "expected": 43_200, "gaps": [], "source": "test"}
        write_day(self.home, "R_100", day, epochs, quotes, note)
        done = self.definitions.resolve_job_def("ingest").execute_in_process(
            instance=self.instance,
            partition_key=key("R_100", day),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
        assert done.success is good

    def tick(self) -> set[tuple[str, str]]:
        """One evaluation; the (asset, partition) pairs it asks for."""
        result = dg.evaluate_automation_conditions(
            defs=self.definitions,
            instance=self.instance,
            asset_selection=dg.AssetSelection.assets("features", "labels"),
            evaluation_time=NOW,
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        return {
            (name, str(partition))
            for name in ("features", "labels")
            for partition in result.get_requested_partitions(dg.AssetKey(name))
        }


@pytest.fixture
def daemon(workspace: Callable, definitions: dg.Definitions) -> Daemon:
    return Daemon(workspace("http://127.0.0.1:9").home, definitions)


def both(*days: date) -> set[tuple[str, str]]:
    return {(name, key("R_100", day)) for name in ("features", "labels") for day in days}


def test_a_day_is_computed_once_it_and_its_warm_up_are_there(daemon: Daemon) -> None:
    daemon.tick()
    daemon.ticks_arrive(date(2026, 3, 3))
    assert daemon.tick() == set()
    daemon.ticks_arrive(date(2026, 3, 4))
    assert daemon.tick() == both(date(2026, 3, 4))
    assert daemon.tick() == set()


def test_a_late_day_is_picked_up_within_a_week_and_an_older_one_is_not(daemon: Daemon) -> None:
    for day in (date(2026, 3, 4), date(2026, 3, 3)):
        daemon.ticks_arrive(day)
    daemon.tick()
    daemon.ticks_arrive(date(2026, 3, 1))
    daemon.ticks_arrive(date(2026, 2, 28))
    assert daemon.tick() == both(date(2026, 3, 1))
    for day in (date(2026, 2, 10), date(2026, 2, 11)):
        daemon.ticks_arrive(day)
    assert daemon.tick() == set()


def test_a_day_that_failed_a_check_reaches_nothing(daemon: Daemon) -> None:
    daemon.tick()
    daemon.ticks_arrive(date(2026, 3, 2))
    daemon.ticks_arrive(date(2026, 3, 3))
    daemon.ticks_arrive(date(2026, 3, 4), good=False)
    assert daemon.tick() == both(date(2026, 3, 3))


# -- schedules ------------------------------------------------------------------------------------------------------


def test_the_daily_schedule_asks_for_the_day_that_has_just_closed(workspace: Callable) -> None:
    workspace("http://127.0.0.1:9")
    at = datetime(2026, 3, 5, 0, 10, tzinfo=UTC)
    asked = schedules.daily_ingest(
        dg.build_schedule_context(scheduled_execution_time=at), workspace=WorkspaceResource()
    )
    assert asked.partition_key == key("R_100", date(2026, 3, 4))


def test_the_hourly_schedule_finishes_the_day_before_at_midnight() -> None:
    at = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)
    asked = schedules.hourly_payout_quotes(dg.build_schedule_context(scheduled_execution_time=at))
    assert asked.partition_key == "2026-03-04"


# -- sensors --------------------------------------------------------------------------------------------------------


class Poll:
    """The journal sensor, its cursor, and the runs that came of it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.instance = dg.DagsterInstance.ephemeral(tempdir=str(home.root / "instance"))
        self.cursor: str | None = None
        self._segments, self._previous = 0, GENESIS

    def segment(self) -> None:
        """The runner exports one more segment."""
        self._segments += 1
        record = HaltRecord(epoch=1_772_409_600 + self._segments, halted=True, reason="test", by="test")
        folder = self.home.root / "runner" / "journal"
        self._previous = write_segment(folder, self._segments, self._previous, [record])

    def tick(self) -> dg.RunRequest | None:
        """One evaluation; the run it asks for."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, sensor_name="journal_sensor")
        result = sensors.journal_sensor(context, workspace=WorkspaceResource())
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        self.reason = result.skip_reason.skip_message if result.skip_reason else None
        return result.run_requests[0] if result.run_requests else None

    def run(self, asked: dg.RunRequest, status: dg.DagsterRunStatus) -> None:
        """The daemon started what was asked for, and this became of it."""

        @dg.job(name="shadow")
        def shadow() -> None: ...

        self.instance.create_run_for_job(shadow, tags=asked.tags, status=status)

    def time_passes(self) -> None:
        self.cursor = json.dumps(json.loads(self.cursor or "{}") | {"requested_at": 0.0})


@pytest.fixture
def poll(workspace: Callable) -> Poll:
    return Poll(workspace("http://127.0.0.1:9").home)


def test_new_segments_are_asked_for_once(poll: Poll) -> None:
    assert poll.tick() is None
    poll.segment()
    asked = poll.tick()
    assert asked is not None
    assert asked.tags["xtitan/sensor"] == "journal_sensor"
    poll.run(asked, dg.DagsterRunStatus.SUCCESS)
    assert poll.tick() is None
    poll.segment()
    assert poll.tick() is None
    assert "cooling down" in poll.reason
    poll.time_passes()
    second = poll.tick()
    assert second is not None
    assert second.run_key != asked.run_key


def test_a_failed_run_is_asked_for_again_under_a_new_key(poll: Poll) -> None:
    """Dagster never starts a second run for a used key, so a retry under the old one would never run."""
    poll.segment()
    keys = []
    for _ in range(MAX_ATTEMPTS):
        asked = poll.tick()
        assert asked is not None
        keys.append(asked.run_key)
        poll.run(asked, dg.DagsterRunStatus.FAILURE)
        assert poll.tick() is None
        poll.time_passes()
    assert len(set(keys)) == MAX_ATTEMPTS
    assert poll.tick() is None
    assert "gave up" in poll.reason
    poll.segment()
    assert poll.tick() is not None


def test_a_running_run_is_never_joined_by_a_second(poll: Poll) -> None:
    poll.segment()
    asked = poll.tick()
    assert asked is not None
    poll.run(asked, dg.DagsterRunStatus.STARTED)
    poll.segment()
    poll.time_passes()
    assert poll.tick() is None
    assert poll.reason == "a run is in progress"


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans(), st.integers(0, 5_000)), max_size=60))
def test_no_history_makes_a_sensor_stampede_or_repeat_a_key(history: list[tuple[str, bool, int]]) -> None:
    """Any sequence of causes, outcomes and pauses: keys are unique per cause run, and each cause has a bounded number."""
    cursor, now = Cursor(), 1_000_000.0
    outcomes: dict[str, LastRun] = {}
    requests: list[tuple[float, str]] = []
    for cause, succeeds, pause in history:
        now += pause
        last = outcomes.get(cause, LastRun.NONE)
        answer = next_request(
            Cursor.load(cursor.dump()), cause or None, last, False, now, cool_down=600.0, retry_after=600.0
        )
        cursor = answer.cursor
        if answer.run_key is None:
            assert answer.reason
            continue
        assert last is not LastRun.SUCCEEDED
        if requests:
            assert now - requests[-1][0] >= 600.0
        requests.append((now, answer.run_key))
        outcomes[cause] = LastRun.SUCCEEDED if succeeds else LastRun.FAILED
    assert all(1 <= int(run_key.partition("#")[2]) <= MAX_ATTEMPTS for _, run_key in requests)


def test_an_unreadable_cursor_starts_afresh() -> None:
    for text in (None, "", "not json", "[]", '{"attempt": "many"}'):
        assert Cursor.load(text) == Cursor()


def test_retraining_needs_a_reason_and_a_new_day(workspace: Callable) -> None:
    space = workspace("http://127.0.0.1:9")
    home, params = space.home, space.params()
    DatasetReport("a" * 64, "R_100", ["2026-03-01"], 3, 1, 1, 1, 0, 1, 0, 1, {}).write(home)
    assert triggers.retrain_cause(home, params) is None
    DriftReport("demote", "R_100-rise_fall-5t", "b" * 64).write(home)
    assert triggers.retrain_cause(home, params) is None
    write_day(home, "R_100", date(2026, 3, 2), np.array([1]), np.array([1.0]), {})
    assert triggers.retrain_cause(home, params) == f"{'a' * 16}:drift"
    shadow_report("futile").write(home)
    assert triggers.retrain_cause(home, params) == f"{'a' * 16}:drift+futile"


def test_promotion_is_manual_unless_someone_says_otherwise(
    workspace: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = workspace("http://127.0.0.1:9")
    shadow_report("promoted").write(space.home)
    monkeypatch.delenv(triggers.PROMOTION_MODE, raising=False)
    assert triggers.promotion_cause(space.home, space.params()) is None
    monkeypatch.setenv(triggers.PROMOTION_MODE, "auto")
    assert triggers.promotion_cause(space.home, space.params()) == "b" * 64
    shadow_report("continue").write(space.home)
    assert triggers.promotion_cause(space.home, space.params()) is None


# -- pools ----------------------------------------------------------------------------------------------------------


def test_a_killed_run_gives_its_pool_slot_back(workspace: Callable) -> None:
    """Left alone, the slot of a killed training run blocks every later one for ever."""
    space = workspace("http://127.0.0.1:9")
    with dg.DagsterInstance.local_temp(str(space.home.root)) as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots("gpu", 1)
        mine, other = (
            instance.create_run_for_job(
                dg.job(name="train")(lambda: None),
                tags={WORKSPACE_TAG: data},
                status=dg.DagsterRunStatus.STARTED,
            )
            for data in (str(space.home.data), "/somewhere/else")
        )
        assert storage.claim_concurrency_slot("gpu", mine.run_id, "model_checkpoint").is_claimed
        assert not storage.claim_concurrency_slot("gpu", other.run_id, "model_checkpoint").is_claimed
        assert close_abandoned(instance, space.home) == [mine.run_id]
        assert storage.claim_concurrency_slot("gpu", other.run_id, "model_checkpoint").is_claimed
        run = instance.get_run_by_id(mine.run_id)
        assert run is not None
        assert run.status is dg.DagsterRunStatus.FAILURE
