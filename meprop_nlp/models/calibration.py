"""`Calibration`: what a model's confidence is worth, as measured on dev.

A softmax says 0.9 where a small model is right 81 % of the time. Two numbers for each kind of
confidence bring it in line with how often the model was right on dev (Platt 1999). Arcs from ROOT
have numbers of their own: a transition parser attaches the root when nothing else is left to do,
with a softmax of 1.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.prediction import Indices, Scores

ARCS, ROOTS = "ArcConf", "ArcConf of roots"
# confidence nearer to 0 or 1 than this counts as this
_MARGIN = 1e-6


class Calibration:
    """Maps confidence to the share of right answers that was measured for it.

    Args:
        stored: slope and offset of the logit by the kind of confidence, as the model file has them;
            a kind that is missing stays as it is.

    Raises:
        CheckpointError: `stored` is anything else.
    """

    def __init__(self, stored: object) -> None:
        if not isinstance(stored, dict) or not all(map(_is_line, stored.values())):
            raise CheckpointError(
                "the model's calibration is not two numbers for each kind of confidence"
            )
        self._lines: dict[str, list[float]] = stored

    def __call__(
        self, confidence: Mapping[str, Scores], heads: Indices | None
    ) -> dict[str, Scores]:
        """Return calibrated confidence.

        Args:
            confidence: (N,) each, by kind.
            heads: (N,) the predicted heads, by which arcs from ROOT are told from others; None
                without trees.
        """
        calibrated = {}
        for kind, values in confidence.items():
            result = self._mapped(values, kind)
            if kind == ARCS and heads is not None and ROOTS in self._lines:
                result = np.where(heads == 0, self._mapped(values, ROOTS), result)
            calibrated[kind] = np.ascontiguousarray(result, np.float32)
        return calibrated

    def _mapped(self, values: Scores, kind: str) -> npt.NDArray[np.float64] | Scores:
        if kind not in self._lines:
            return values
        slope, offset = self._lines[kind]
        mapped: npt.NDArray[np.float64] = 1 / (1 + np.exp(-(slope * logit(values) + offset)))
        return mapped


def logit(confidence: Scores) -> npt.NDArray[np.float64]:
    """Return log(p / (1 - p)), finite for 0 and 1 too."""
    p = np.clip(confidence.astype(np.float64), _MARGIN, 1 - _MARGIN)
    result: npt.NDArray[np.float64] = np.log(p / (1 - p))
    return result


def _is_line(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(number) in (int, float) and abs(number) < 1e6 for number in value)
    )
