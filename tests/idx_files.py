"""IDX files for tests, and images that can be told apart."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

from meprop_nlp.data.idx import TYPE_CODES
from meprop_nlp.data.mnist import N_CLASSES, SIDE, Images

CODES = {dtype.newbyteorder("="): code for code, dtype in TYPE_CODES.items()}
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def idx_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """The content of an IDX file."""
    header = struct.pack(">BBBB", 0, 0, CODES[array.dtype], array.ndim)
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return header + sizes + array.astype(TYPE_CODES[CODES[array.dtype]]).tobytes()


def made_up_images(n: int, seed: int = 0) -> Images:
    """Noise with a bright bar whose place is the class."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % N_CLASSES).astype(np.uint8)
    pixels = rng.integers(0, 100, (n, SIDE, SIDE), dtype=np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[2 * label + 4 : 2 * label + 6, 4:24] = 255
    return Images(pixels, labels)


def write_mnist(directory: Path, n_train: int, n_test: int) -> Path:
    """Four files as MNIST has them, the images of the training set packed."""
    for (name, n), seed in zip({"train": n_train, "test": n_test}.items(), (1, 2), strict=True):
        images = made_up_images(n, seed)
        for file, array in zip(FILES[name], (images.pixels, images.labels), strict=True):
            (directory / file).write_bytes(idx_bytes(array))
    packed = directory / (FILES["train"][0] + ".gz")
    (directory / FILES["train"][0]).rename(packed)
    packed.write_bytes(gzip.compress(packed.read_bytes()))
    return directory
