"""What is measured on dev: how often the model is right for its confidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.calibration import ARCS, ROOTS, logit
from meprop_nlp.models.model import Model
from meprop_nlp.training.measured.calibration import answers, fitted_line


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


@given(
    slope=st.floats(0.3, 2),
    offset=st.floats(-1, 1),
    seed=st.integers(0, 1000),
)
def test_the_line_that_made_the_answers_is_found(slope: float, offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(1, 2, 20_000)
    is_right = rng.random(len(scores)) < sigmoid(slope * scores + offset)
    found = fitted_line(sigmoid(scores).astype(np.float32), is_right)
    np.testing.assert_allclose(found, [slope, offset], atol=0.15)


@given(
    confidence=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60),
    seed=st.integers(0, 1000),
    share=st.floats(0, 1),
)
def test_any_answers_give_a_line_no_worse_than_none(
    confidence: list[float], seed: int, share: float
) -> None:
    values = np.array(confidence, np.float32)
    is_right = np.random.default_rng(seed).random(len(values)) < share
    slope, offset = fitted_line(values, is_right)
    assert abs(slope) < 1e4
    assert abs(offset) < 1e4

    n_right = is_right.sum()
    targets = np.where(is_right, (n_right + 1) / (n_right + 2), 1 / (len(values) - n_right + 2))

    def loss(scores: Any) -> float:
        return float((np.logaddexp(0, scores) - targets * scores).sum())

    x = logit(values)
    assert loss(slope * x + offset) <= loss(x) + 1e-3


def test_answers_that_are_sure_and_often_wrong_are_brought_down() -> None:
    # a full Newton step oscillates here
    confidence = np.repeat(np.float32([0.6, 0.95, 0.9999, 1.0]), [80, 100, 300, 400])
    is_right = np.concatenate(
        [np.arange(n) < right for n, right in ((80, 50), (100, 84), (300, 292), (400, 399))]
    )
    slope, offset = fitted_line(confidence, is_right)
    calibrated = sigmoid(slope * logit(confidence) + offset)
    for part, right in ((slice(80), 0.62), (slice(80, 180), 0.84), (slice(180, 480), 0.973)):
        assert calibrated[part].mean() == pytest.approx(right, abs=0.06)


@pytest.mark.parametrize("task", ["tagger", "parser", "joint"])
def test_a_model_is_calibrated_on_dev_and_keeps_it_in_its_file(
    task: str, train: Callable[..., Any], treebank: list[Sentence], tmp_path: Any
) -> None:
    model = train(task, dev=treebank * 4, output=tmp_path / "m.safetensors")
    stored = Model.load(tmp_path / "m.safetensors").file.header["calibration"]
    assert stored == model.file.header["calibration"]
    kinds = {"tagger": {"UPOSConf", "XPOSConf"}, "parser": {ARCS, ROOTS}}
    assert kinds.get(task, {"UPOSConf", "XPOSConf", ARCS, ROOTS}) <= set(stored)
    for values, is_right in answers(model, treebank).values():
        assert len(values) == len(is_right)
        assert ((values >= 0) & (values <= 1)).all()


def test_without_dev_nothing_is_calibrated(train: Callable[..., Any]) -> None:
    assert "calibration" not in train("tagger").file.header
