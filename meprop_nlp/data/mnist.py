"""MNIST, or any data set in its form: 28 x 28 grey images of ten classes in four IDX files."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import MNIST_DEV_IMAGES
from meprop_nlp.data.idx import read_idx
from meprop_nlp.errors import DataError

__all__ = ["N_CLASSES", "SIDE", "Images", "Mnist", "find_mnist", "read_mnist", "usual_names"]

SIDE = 28  # pixels
N_CLASSES = 10
# What a file is, and which file of MNIST that is; `t10k` are the test images.
STEMS = {
    "train_images": "train-images",
    "train_labels": "train-labels",
    "test_images": "t10k-images",
    "test_labels": "t10k-labels",
}


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images and what is on them.

    Attributes:
        pixels: (N, 28, 28) uint8, 0 is the background.
        labels: (N,) uint8, 0 to 9.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> Images:
        return Images(self.pixels[part], self.labels[part])

    def fingerprint(self) -> dict[str, int]:
        """Return what tells one set of images from another."""
        checksum = zlib.crc32(np.ascontiguousarray(self.pixels).data)
        checksum = zlib.crc32(np.ascontiguousarray(self.labels).data, checksum)
        return {"images": len(self), "checksum": checksum}


class Mnist(NamedTuple):
    """The three parts of the data set."""

    train: Images
    dev: Images
    test: Images


def read_mnist(
    directory: str | os.PathLike[str],
    *,
    n_dev: int = MNIST_DEV_IMAGES,
    files: Mapping[str, str | os.PathLike[str]] | None = None,
) -> Mnist:
    """Read the four files of a directory, found by the names they are known under.

    That is `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the two of `t10k`, with a dot
    or a hyphen before `idx`, with or without `.gz`; its content tells whether a file is packed.

    Args:
        n_dev: so many of the first training images become the dev set; may be 0.
        files: paths that are not to be looked for, by what they are: `train_images`,
            `train_labels`, `test_images`, `test_labels`.

    Raises:
        DataError: a file is missing or damaged, two do not belong together, a label is not 0 to 9,
            or there are no more than `n_dev` training images.
    """
    paths = find_mnist(directory, files)
    train, test = (_read(paths[f"{p}_images"], paths[f"{p}_labels"]) for p in ("train", "test"))
    if len(train) <= n_dev:
        raise DataError(
            f"{paths['train_images']}: {len(train):,} training images, expected more than the "
            f"{n_dev:,} that are set apart for dev; give fewer dev images"
        )
    return Mnist(train[n_dev:], train[:n_dev], test)


def find_mnist(
    directory: str | os.PathLike[str], files: Mapping[str, str | os.PathLike[str]] | None = None
) -> dict[str, Path]:
    """Return where the four files are; `directory` and `files` as in `read_mnist`.

    Raises:
        DataError: one is missing.
    """
    known = files or {}
    return {
        role: Path(known[role]) if role in known else _find(Path(directory), role) for role in STEMS
    }


def usual_names(role: str) -> list[str]:
    """Return the names that one of the four files is known under; see `read_mnist`."""
    n_dimensions = 3 if role.endswith("images") else 1
    return [
        f"{STEMS[role]}{mark}idx{n_dimensions}-ubyte{packed}"
        for packed in ("", ".gz")
        for mark in "-."
    ]


def _find(directory: Path, role: str) -> Path:
    names = usual_names(role)
    for name in names:
        if (directory / name).is_file():
            return directory / name
    raise DataError(f"{directory}: no {role.replace('_', ' ')}, expected one of {', '.join(names)}")


def _read(images: Path, labels: Path) -> Images:
    pixels, classes = read_idx(images, (None, SIDE, SIDE)), read_idx(labels, (None,))
    if len(pixels) != len(classes):
        raise DataError(
            f"{labels}: {len(classes):,} labels, expected one for each of the {len(pixels):,} "
            f"images of {images}"
        )
    if not len(pixels):
        raise DataError(f"{images}: no images, expected at least one")
    wrong = np.flatnonzero(classes >= N_CLASSES)
    if len(wrong):
        raise DataError(
            f"{labels}: label number {wrong[0] + 1:,} is {classes[wrong[0]]}, "
            f"expected 0 to {N_CLASSES - 1}"
        )
    return Images(pixels, classes)
