"""Digits: the whole numbers that a trained encoder multiplies in place of float32.

The states of an LSTM are between -1 and 1, so they are rounded to 63rds. The weights that they
meet are rounded, for each output, to 127ths of its largest weight. The products are then of small
whole numbers: a processor multiplies four times as many of these at a time, and their sum is the
same in any order. No score is lost (docs/accuracy.md).

States have seven bits, so that two products of bytes fit into 16 bits together, which is what AVX2
adds.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.models.parts import Array

Product = Callable[[Array, Array], Array]

STATE_DIGITS = 63
WEIGHT_DIGITS = 127


class DigitWeight:
    """The weight of a linear layer over states.

    Attributes:
        digits: (I, C) whole numbers from -127 to 127.
        scale: (C,) what a product with the states' digits is to be multiplied by.
    """

    def __init__(self, digits: npt.NDArray[np.int8], scale: Array) -> None:
        self.digits, self.scale = digits, scale

    @classmethod
    def of(cls, weight: Array) -> "DigitWeight":
        """Round a weight: (I, C)."""
        steps = np.maximum(weight.max(axis=0), -weight.min(axis=0)) / np.float32(WEIGHT_DIGITS)
        steps = np.maximum(steps, np.finfo(np.float32).tiny)  # a column of zeros has a scale too
        quotients = weight / steps
        digits = np.rint(quotients, out=quotients).astype(np.min_scalar_type(-WEIGHT_DIGITS))
        return cls(digits, steps / np.float32(STATE_DIGITS))

    def product(self, states: Array, times: Product = np.matmul) -> Array:
        """Return the product of states, (n, I), with the weight: (n, C).

        Args:
            times: multiplies two matrices.
        """
        result: Array = times(state_digits(states), self._factors) * self.scale
        return result

    @cached_property
    def _factors(self) -> Array:
        # where the native core multiplies they are never made
        return self.digits.astype(np.float32)


def state_digits(states: Array) -> Array:
    """Return the digits of states: whole numbers from -63 to 63, as float32."""
    digits: Array = np.rint(states * np.float32(STATE_DIGITS))
    return digits


def in_fours(digits: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Return digits, (I, C), as integers, with zeros below to a multiple of four rows."""
    return np.pad(digits.astype(np.int32), ((0, -len(digits) % 4), (0, 0)))
