"""MNIST: 28 x 28 greyscale images of ten classes, read from four IDX files, or made up."""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.source import opened
from meprop_nlp.errors import DataError

SIDE = 28  # pixels
N_CLASSES = 10
DEV_IMAGES = 5000  # the first of the training images (meProp, section 4.1)
# patterns of the file names; `t10k` are the test images
NAMES = {
    "train_images": "train-images[-.]idx3-ubyte*",
    "train_labels": "train-labels[-.]idx1-ubyte*",
    "test_images": "t10k-images[-.]idx3-ubyte*",
    "test_labels": "t10k-labels[-.]idx1-ubyte*",
}


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Labelled images."""

    pixels: npt.NDArray[np.uint8]  # (N, 28, 28) from 0, the background, to 255
    labels: npt.NDArray[np.uint8]  # (N,) 0 to 9

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice) -> "Images":
        return Images(self.pixels[part], self.labels[part])

    def fingerprint(self) -> dict[str, int]:
        """Return the number of images and a checksum of them."""
        checksum = zlib.crc32(self.labels.tobytes(), zlib.crc32(self.pixels.tobytes()))
        return {"images": len(self), "checksum": checksum}


class Mnist(NamedTuple):
    """The three parts of the data set."""

    train: Images
    dev: Images
    test: Images


def find_mnist(folder: Path) -> dict[str, Path]:
    """Return the paths of the four files in a folder; raise DataError if one is missing."""
    paths = {}
    for role, pattern in NAMES.items():
        found = sorted(folder.glob(pattern))
        if not found:
            raise DataError(f"{folder}: no {role}, expected a file named {pattern}")
        paths[role] = found[0]
    return paths


def read_mnist(paths: Mapping[str, Path]) -> Mnist:
    """Read the four files that `find_mnist` found.

    The first 5,000 training images are the dev set, as in the papers, or the first quarter of fewer
    than 20,000. Raise DataError if a file is damaged, or two of them do not belong together.
    """
    train, test = (_read(paths[f"{p}_images"], paths[f"{p}_labels"]) for p in ("train", "test"))
    n_dev = min(DEV_IMAGES, len(train) // 4)
    return Mnist(train[n_dev:], train[:n_dev], test)


def read_idx(path: Path, *item: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file: any number of items of an expected shape, compressed or not.

    Its header is two zero bytes, a type code (8: bytes), the number of dimensions, and each size as
    a big-endian 32-bit integer.
    """
    with opened(path) as stream:
        content = stream.read()
    shape = (int.from_bytes(content[4:8], "big"), *item)
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    if not content.startswith(header) or len(content) != len(header) + math.prod(shape):
        expected = " x ".join(map(str, ("N", *item)))
        raise DataError(f"{path}: is damaged, or no IDX file of {expected} bytes; get it again")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def made_up_mnist() -> Mnist:
    """Return the images that `--quick` uses instead of MNIST; they are always the same."""
    return Mnist(*(made_up_images(n, seed) for seed, n in enumerate((600, 200, 200))))


def made_up_images(n: int, seed: int) -> Images:
    """Draw images of noise with a bar; the class is the height of the bar."""
    rng = np.random.default_rng(seed)
    labels = (rng.permutation(n) % N_CLASSES).astype(np.uint8)
    pixels = rng.integers(0, 100, (n, SIDE, SIDE), dtype=np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[2 * label + 4 : 2 * label + 6, 4:24] = 255
    return Images(pixels, labels)


def _read(images: Path, labels: Path) -> Images:
    pixels, classes = read_idx(images, SIDE, SIDE), read_idx(labels)
    if len(pixels) != len(classes) or not len(pixels):
        found = f"{len(pixels):,} images, and {len(classes):,} labels in {labels}"
        raise DataError(f"{images}: {found}, expected a label for each image")
    if classes.max() >= N_CLASSES:
        raise DataError(f"{labels}: a label is {classes.max()}, expected 0 to {N_CLASSES - 1}")
    return Images(pixels, classes)
