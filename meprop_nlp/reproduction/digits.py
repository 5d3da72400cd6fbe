"""Made-up digits in MNIST's form, drawn from a seed: what is tried where there are no images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.mnist import N_CLASSES, SIDE, Images, Mnist

__all__ = ["made_up_digits", "made_up_mnist"]

SEED = 1
N_TRAIN, N_DEV, N_TEST = 600, 200, 200
_HEIGHT, _WIDTH, _STROKE = 16, 10, 3  # of a digit, in pixels
_SPECKS = 0.1  # share of the background
# the seven segments of a display: rows and columns of each stroke
_TOP, _MIDDLE, _BOTTOM = (
    (slice(row, row + _STROKE), slice(0, _WIDTH))
    for row in (0, (_HEIGHT - _STROKE) // 2, _HEIGHT - _STROKE)
)
_HALF = _HEIGHT // 2
_LEFT, _RIGHT = slice(0, _STROKE), slice(_WIDTH - _STROKE, _WIDTH)
_UPPER_LEFT, _UPPER_RIGHT = (slice(0, _HALF), _LEFT), (slice(0, _HALF), _RIGHT)
_LOWER_LEFT, _LOWER_RIGHT = (slice(_HALF, _HEIGHT), _LEFT), (slice(_HALF, _HEIGHT), _RIGHT)
_BARS = (_TOP, _MIDDLE, _BOTTOM)
_STROKES = (
    (_TOP, _BOTTOM, _UPPER_LEFT, _UPPER_RIGHT, _LOWER_LEFT, _LOWER_RIGHT),
    (_UPPER_RIGHT, _LOWER_RIGHT),
    (*_BARS, _UPPER_RIGHT, _LOWER_LEFT),
    (*_BARS, _UPPER_RIGHT, _LOWER_RIGHT),
    (_MIDDLE, _UPPER_LEFT, _UPPER_RIGHT, _LOWER_RIGHT),
    (*_BARS, _UPPER_LEFT, _LOWER_RIGHT),
    (*_BARS, _UPPER_LEFT, _LOWER_LEFT, _LOWER_RIGHT),
    (_TOP, _UPPER_RIGHT, _LOWER_RIGHT),
    (*_BARS, _UPPER_LEFT, _UPPER_RIGHT, _LOWER_LEFT, _LOWER_RIGHT),
    (*_BARS, _UPPER_LEFT, _UPPER_RIGHT, _LOWER_RIGHT),
)


def made_up_mnist() -> Mnist:
    """Return the same small data set each time."""
    images = made_up_digits(N_TRAIN + N_DEV + N_TEST, SEED)
    dev, test = N_TRAIN, N_TRAIN + N_DEV
    return Mnist(images[:dev], images[dev:test], images[test:])


def made_up_digits(n: int, seed: int) -> Images:
    """Draw digits as a display of seven segments shows them.

    Place, brightness and noise differ from image to image; all classes come up equally often.
    """
    rng = np.random.default_rng(seed)
    labels = (rng.permutation(n) % N_CLASSES).astype(np.uint8)
    pixels = rng.integers(0, 80, (n, SIDE, SIDE), dtype=np.uint8)
    pixels[rng.random(pixels.shape) > _SPECKS] = 0  # MNIST's background is black, too
    for image, label in zip(pixels, labels, strict=True):
        top = (SIDE - _HEIGHT) // 2 + rng.integers(-1, 2)
        left = (SIDE - _WIDTH) // 2 + rng.integers(-1, 2)
        _draw(image[top : top + _HEIGHT, left : left + _WIDTH], int(label), rng)
    return Images(pixels, labels)


def _draw(place: npt.NDArray[np.uint8], digit: int, rng: np.random.Generator) -> None:
    ink = rng.integers(120, 256)
    for rows, columns in _STROKES[digit]:
        place[rows, columns] = ink
