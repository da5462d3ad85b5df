"""Laws of control records and of the line of progress that they bend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.recipes.train_config import TrainConfig
from pretextual.train.budget import Budget, TimeKeeper, parse_more, resolve_budget
from pretextual.train.controls import ControlLog, Horizon


def test_records_survive_a_reload(tmp_path: Path) -> None:
    log = ControlLog(tmp_path / "controls.jsonl")
    log.append(0, "horizon", {"progress": 0.0, "end_sample": 100})
    log.append(40, "micro_batch", {"rows": 4})
    again = ControlLog(tmp_path / "controls.jsonl")
    assert again.records == log.records
    assert [record.id for record in again.records] == [0, 1]


@given(cut=st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_a_torn_line_is_forgotten_and_the_next_record_is_whole(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "controls.jsonl"
    log = ControlLog(path)
    log.append(0, "horizon", {"progress": 0.0, "end_sample": 100})
    whole = path.stat().st_size
    log.append(50, "horizon", {"progress": 0.5, "end_sample": 80})
    torn = path.read_bytes()[: -min(cut, path.stat().st_size - whole)]
    path.write_bytes(torn)
    again = ControlLog(path)
    assert len(again.records) == 1
    again.append(50, "horizon", {"progress": 0.5, "end_sample": 90})
    assert ControlLog(path).records[1].values["end_sample"] == 90


def test_progress_bends_and_never_jumps(tmp_path: Path) -> None:
    log = ControlLog(tmp_path / "c")
    log.append(0, "horizon", {"progress": 0.0, "end_sample": 1000})
    horizon = Horizon(log)
    before = horizon.progress(np.arange(0, 400))
    log.append(400, "horizon", {"progress": float(horizon.progress(400)), "end_sample": 500})
    after = horizon.progress(np.arange(0, 501))
    # What was already used does not change, …
    assert np.array_equal(after[:400], before)
    # … steps from one sample to the next stay those of the two slopes, and the end is exactly 1.
    assert np.diff(after).max() == pytest.approx((1 - 0.4) / 100)
    assert after[-1] == 1.0


@given(speed=st.floats(0.05, 1.0), guess=st.floats(0.2, 5.0), ahead=st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_a_time_budget_is_met_whatever_the_first_guess(
    speed: float, guess: float, ahead: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows, seconds = 8, 1000.0
    log = ControlLog(tmp_path_factory.mktemp("t") / "c")
    keeper = TimeKeeper(Budget(rows, None, seconds, ""), log)
    keeper.start(max(1, int(guess * seconds / speed / rows)) * rows, seconds, {})
    samples = 0
    while samples < keeper.horizon.end_sample(samples + ahead * rows):
        samples += rows
        end = keeper.horizon.end_sample(samples)
        keeper.review(samples, samples * speed, min(samples + ahead * rows, max(end, samples)))
        assert samples * speed < 20 * seconds
    # Between reviews some samples are already asked for; they are trained on whatever the clock says.
    assert samples * speed == pytest.approx(seconds, rel=0.03, abs=2 * rows * (ahead + 2) * speed)


def test_reviews_are_not_repeated_after_a_reload(tmp_path: Path) -> None:
    path = tmp_path / "c"
    budget = Budget(1, None, 100.0, "")
    first = TimeKeeper(budget, ControlLog(path))
    first.start(1000, 100.0, {})
    for samples in range(1, 41):
        first.review(samples, float(samples), samples + 1)
    known = ControlLog(path).records
    again = TimeKeeper(budget, ControlLog(path))
    for samples in range(1, 41):
        again.review(samples, samples * 3.0 if samples > 200 else float(samples), samples + 1)
    assert ControlLog(path).records == known
    assert len(known) == 4  # the first, and reviews at 2, 10 and 30 percent


def test_the_first_budget_reached_ends_the_run() -> None:
    config = TrainConfig(steps=100, epochs=2.0, batch_rows=16)
    budget = resolve_budget(config, window_tokens=512, num_windows=507, real_tokens=53_738)
    assert budget.sample_limit == 1014
    assert -(-budget.sample_limit // budget.batch_rows) == 64
    none = resolve_budget(TrainConfig(), window_tokens=128, num_windows=1000, real_tokens=128_000)
    assert (none.sample_limit, none.seconds, none.batch_rows) == (10_000, 1800.0, 32)
    assert none.said.startswith("no budget given")


def test_more_is_a_duration_or_a_count() -> None:
    assert parse_more("30m", 16, 100) == ("seconds", 1800.0)
    assert parse_more("500 steps", 16, 100) == ("samples", 8000.0)
    assert parse_more("2 epochs", 16, 100) == ("samples", 200.0)


@given(
    rows=st.integers(1, 9),
    legs=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), min_size=1, max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_a_batch_is_found_where_the_walk_over_all_batches_finds_it(
    rows: int, legs: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = ControlLog(tmp_path_factory.mktemp("b") / "c")
    horizon, walked, begin = Horizon(log), [], 0
    for length, again in legs:
        # A leg of this many samples, estimated anew after some of its batches.
        log.append(begin, "horizon", {"progress": 0.0, "end_sample": begin + length})
        position, batches = begin, 0
        while (left := horizon.end_sample(position) - position) > 0:
            walked.append((position, min(rows, left)))
            position, batches = position + min(rows, left), batches + 1
            if batches == again and left > rows:
                end = position + 2 * rows + 1
                log.append(position, "horizon", {"progress": 0.5, "end_sample": end})
        begin = position
    assert [horizon.batch(step, rows) for step in range(len(walked))] == walked
    assert horizon.batch(len(walked), rows) is None
    assert horizon.num_steps(rows) == len(walked)


def test_a_record_that_reaches_back_takes_the_place_of_those_after_it(tmp_path: Path) -> None:
    log = ControlLog(tmp_path / "c")
    horizon = Horizon(log)
    log.append(0, "horizon", {"progress": 0.0, "end_sample": 100})
    log.append(40, "horizon", {"progress": 0.4, "end_sample": 80})
    # Stopped early at 24, although batches up to 40 were asked for; then lengthened.
    log.append(24, "horizon", {"progress": 0.24, "end_sample": 24})
    assert horizon.end_sample(24) == horizon.end_sample(60) == 24
    assert horizon.num_steps(8) == 3 and horizon.batch(3, 8) is None
    log.append(24, "horizon", {"progress": 0.5, "end_sample": 48})
    assert horizon.num_steps(8) == 6 and horizon.batch(5, 8) == (40, 8)
    assert horizon.progress([0, 23, 24, 36, 48]).tolist() == [0.0, 0.23, 0.5, 0.75, 1.0]
