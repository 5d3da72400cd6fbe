"""A stranger's calibration is checked, and arcs from ROOT have numbers of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.calibration import ARCS, ROOTS, Calibration, logit

CONFIDENCE = np.array([0.0, 0.2, 0.9, 1.0], np.float32)


def test_without_numbers_confidence_stays_as_it_is() -> None:
    calibrated = Calibration({})({"UPOSConf": CONFIDENCE}, None)
    np.testing.assert_array_equal(calibrated["UPOSConf"], CONFIDENCE)


def test_slope_and_offset_apply_to_the_logit() -> None:
    (value,) = Calibration({"UPOSConf": [0.5, 1.0]})(
        {"UPOSConf": np.array([0.9], np.float32)}, None
    )["UPOSConf"]
    expected = 1 / (1 + np.exp(-(0.5 * np.log(0.9 / 0.1) + 1)))
    assert value == pytest.approx(expected, rel=1e-6)


def test_confidence_of_zero_and_one_stays_finite_and_in_order() -> None:
    values = Calibration({"UPOSConf": [2.0, -1.0]})({"UPOSConf": CONFIDENCE}, None)["UPOSConf"]
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    assert (np.diff(values) > 0).all()
    assert values[0] > 0
    assert values[-1] <= 1
    assert np.isfinite(logit(CONFIDENCE)).all()


def test_arcs_from_root_have_numbers_of_their_own() -> None:
    calibration = Calibration({ARCS: [1.0, 0.0], ROOTS: [0.0, 0.0]})
    heads = np.array([0, 1, 0, 3], np.int32)
    values = calibration({ARCS: CONFIDENCE}, heads)[ARCS]
    np.testing.assert_allclose(values, [0.5, 0.2, 0.5, 1.0], atol=2e-6)


def test_one_number_for_all_arcs_applies_to_roots_too() -> None:
    values = Calibration({ARCS: [0.0, 0.0]})({ARCS: CONFIDENCE}, np.zeros(4, np.int32))[ARCS]
    np.testing.assert_array_equal(values, np.full(4, 0.5, np.float32))


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {"UPOSConf": 1.0},
        {"UPOSConf": [1.0]},
        {"UPOSConf": [1.0, 2.0, 3.0]},
        {"UPOSConf": ["1", 0.0]},
        {"UPOSConf": [True, 0.0]},
        {"UPOSConf": [float("nan"), 0.0]},
        {"UPOSConf": [1e300, 0.0]},
    ],
    ids=str,
)
def test_calibration_of_another_form_is_refused(stored: Any) -> None:
    with pytest.raises(CheckpointError, match="calibration is not two numbers"):
        Calibration(stored)
