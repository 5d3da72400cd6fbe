"""IDX files for tests."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

from experiments.mnist.images import made_up_images

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def header(type_code: int, *sizes: int) -> bytes:
    """The header of an IDX file."""
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, type_code, len(sizes), *sizes)


def idx_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """The content of an IDX file of bytes."""
    return header(8, *array.shape) + array.tobytes()


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
