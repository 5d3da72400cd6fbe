"""The table of the epochs: 80 columns, a header once, what is best and how long it takes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.training.output.epoch_table import EpochTable, duration
from meprop_nlp.training.records import EpochRecord

FIRST = EpochRecord(
    epoch=1,
    loss=20.74138,
    scores={"upos": 91.25, "xpos": 90.0, "feats": None, "lemmas": 95, "uas": 80, "las": 75},
    score=88.5,
    neurons={"layer1": 300, "layer2": 200},
    best=True,
    kept=True,
    learning_rate=0.001,
    forward_seconds=1.0,
    backward_seconds=2.0,
    update_seconds=0.5,
    seconds=50.0,
    evaluate_seconds=10.0,
    words_per_second=12345.6,
    n_batches=7,
    main_scores=["upos", "xpos", "lemmas", "uas", "las"],
)


def changed(**values: Any) -> EpochRecord:
    return dataclasses.replace(FIRST, **values)


def test_header_comes_once_and_a_row_an_epoch() -> None:
    table = EpochTable()
    second = changed(epoch=2, loss=0.5, best=False, seconds=20.0)
    assert [*table.lines(FIRST, 20), *table.lines(second, 20)] == [
        " epoch    loss   UPOS   XPOS UFeats Lemmas    UAS    LAS   mean   time    left",
        "  1/20   20.74  91.25  90.00      -  95.00  80.00  75.00  88.50   60 s  19 min *",
        "  2/20  0.5000  91.25  90.00      -  95.00  80.00  75.00  88.50   30 s  14 min",
    ]


def test_cut_is_told_between_the_epochs_and_other_scores_have_a_header() -> None:
    table = EpochTable()
    list(table.lines(FIRST))
    assert list(table.lines(changed(neurons={"layer1": 111, "layer2": 74}))) == [
        "cut: 185 of 500 neurons are left, 111+74",
        "     1   20.74  91.25  90.00      -  95.00  80.00  75.00  88.50   60 s *",
    ]
    header, _ = table.lines(changed(neurons={"layer1": 111, "layer2": 74}, scores={"uas": 9.0}))
    assert header == " epoch    loss    UAS   mean   time"


def test_mean_is_shown_where_it_is_one_even_if_it_equals_a_score() -> None:
    same = changed(scores={"upos": 90.0, "feats": 90.0}, score=90.0, main_scores=["upos", "feats"])
    assert "mean" in next(iter(EpochTable().lines(same)))
    of_one = changed(scores={"uas": 90.0, "las": 90.0}, score=90.0, main_scores=["las"])
    assert "mean" not in next(iter(EpochTable().lines(of_one)))


def test_time_left_goes_by_the_last_epochs() -> None:
    table = EpochTable()
    for epoch in range(1, 8):
        seconds = 1000.0 if epoch < 5 else 10.0
        *_, row = table.lines(changed(epoch=epoch, seconds=seconds, evaluate_seconds=0.0), 10)
    assert row.split()[-3:] == ["30", "s", "*"]
    *_, row = table.lines(changed(epoch=10), 10)
    assert row.split()[-3:] == ["0.0", "s", "*"]


names = st.lists(st.sampled_from(sorted(SCORE_NAMES)), unique_by=SCORE_NAMES.get, max_size=8)


@given(names, st.integers(1, 99), st.floats(0, 9999), st.floats(0, 8e5))
def test_rows_fit_80_columns_and_stand_under_their_names(
    scores: list[str], epoch: int, loss: float, seconds: float
) -> None:
    record = changed(
        epoch=epoch, loss=loss, seconds=seconds, scores=dict.fromkeys(scores, 100.0), score=100.0
    )
    header, row = EpochTable().lines(record, 99)
    assert max(len(header), len(row)) <= 80
    for name in scores:
        end = header.index(f" {SCORE_NAMES[name]}") + len(SCORE_NAMES[name]) + 1
        assert row[:end].endswith(" 100.00")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (9.95, "10 s"), (99, "99 s"), (99.5, "2 min"), (5940, "99 min"),
     (5970, "1.7 h"), (359_000, "99.7 h"), (864_000, "10 days")],
)  # fmt: skip
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text
