"""When neurons go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.errors import ConfigError
from meprop_nlp.simplify.schedules import CutSchedule


def test_stages_cut_for_one_cycle_and_train_for_the_next():
    schedule = CutSchedule(cycle=2, first_cut_epoch=1)
    assert [schedule.cuts_in(epoch) for epoch in range(10)] == [
        False, True, True, False, False, True, True, False, False, True,
    ]  # fmt: skip
    assert [schedule.stage(epoch) for epoch in range(10)] == [-1, 0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert [epoch for epoch in range(10) if schedule.restarts_optimizer(epoch)] == [1, 3, 5, 7, 9]


def test_warm_up_longer_than_a_cycle_cuts_nothing():
    schedule = CutSchedule(cycle=2, first_cut_epoch=7)
    assert [epoch for epoch in range(10) if schedule.cuts_in(epoch)] == [7, 8]
    assert {schedule.stage(epoch) for epoch in range(7)} == {-1}
    assert [epoch for epoch in range(10) if schedule.restarts_optimizer(epoch)] == [7, 9]


def test_training_that_begins_with_a_stage_does_not_restart_at_once():
    schedule = CutSchedule(cycle=5)
    assert [epoch for epoch in range(20) if schedule.restarts_optimizer(epoch)] == [5, 10, 15]


@pytest.mark.parametrize(
    ("n_batches", "expected"),
    [(16, [1, 3, 5, 7, 9, 11, 13, 15]), (10, [1, 2, 3, 4, 6, 7, 8, 9]), (3, [0, 1, 2]), (1, [0])],
)
def test_cuts_of_an_epoch_are_the_hand_computed_ones(n_batches, expected):
    schedule = CutSchedule()
    actual = [b for b in range(n_batches) if schedule.cuts_after(0, b, n_batches)]
    assert actual == expected
    assert not any(schedule.cuts_after(5, b, n_batches) for b in range(n_batches))


@given(cuts=st.integers(1, 20), n_batches=st.integers(1, 200))
def test_cuts_are_as_many_as_asked_evenly_spaced_and_end_the_epoch(cuts, n_batches):
    schedule = CutSchedule(cuts_per_epoch=cuts)
    after = [b + 1 for b in range(n_batches) if schedule.cuts_after(0, b, n_batches)]
    gaps = {b - a for a, b in zip([0, *after], after, strict=False)}
    assert len(after) == min(cuts, n_batches)
    assert after[-1] == n_batches
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("name", ["cycle", "cuts_per_epoch", "first_cut_epoch"])
def test_schedule_out_of_range_is_an_error(name):
    with pytest.raises(ConfigError, match=f"`{name}` is -1"):
        CutSchedule(**{name: -1})
