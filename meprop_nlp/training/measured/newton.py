"""`minimum`: Newton's method for the few numbers that are measured on dev."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Point = npt.NDArray[np.float64]


def minimum(
    start: Point,
    loss: Callable[[Point], float],
    slopes: Callable[[Point], tuple[Point, npt.NDArray[np.float64]]],
) -> Point:
    """Return the point where a convex loss is least.

    Args:
        start: (F,) where to begin.
        loss: of a point.
        slopes: returns the gradient, (F,), and the curvature, (F, F), at a point.
    """
    point = start.copy()
    for _ in range(100):
        gradient, curvature = slopes(point)
        step = np.linalg.solve(curvature, gradient)
        # where most answers are certain, a full step can go too far
        while loss(point - step) > loss(point) and np.abs(step).max() > 1e-9:
            step /= 2
        point = point - step
        if np.abs(step).max() < 1e-8:
            break
    return point
