"""MNIST's four files: found by their names, held against each other, split as the papers do."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from meprop_nlp.data.mnist import Images, read_mnist
from meprop_nlp.errors import DataError

from ..idx_files import FILES, idx_bytes, made_up_images, write_mnist

TRAIN_IMAGES, TRAIN_LABELS = FILES["train"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_mnist(tmp_path, 12, 4)


def same(actual: Images, expected: Images) -> bool:
    np.testing.assert_array_equal(actual.pixels, expected.pixels)
    np.testing.assert_array_equal(actual.labels, expected.labels)
    return True


@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("packed", [True, False])
def test_files_are_found_by_all_customary_names(mark: str, packed: bool, tmp_path: Path) -> None:
    folder = write_mnist(tmp_path, 12, 4)
    for path in sorted(folder.iterdir()):
        name = path.name.removesuffix(".gz").replace("-idx", f"{mark}idx")
        path.rename(folder / (name + ".gz" * packed))
    mnist = read_mnist(folder, n_dev=5)
    assert same(mnist.dev, made_up_images(12, 1)[:5])
    assert same(mnist.train, made_up_images(12, 1)[5:])
    assert same(mnist.test, made_up_images(4, 2))
    assert [len(part) for part in mnist] == [7, 5, 4]


def test_files_given_by_path_are_taken(folder: Path) -> None:
    other = made_up_images(3, 9)
    paths = {"test_images": folder / "a", "test_labels": folder / "b"}
    paths["test_images"].write_bytes(gzip.compress(idx_bytes(other.pixels)))
    paths["test_labels"].write_bytes(idx_bytes(other.labels))
    assert same(read_mnist(folder, n_dev=5, files=paths).test, other)


@pytest.mark.parametrize("n_dev", [12, 5000])
def test_dev_must_leave_something_to_train_on(n_dev: int, folder: Path) -> None:
    with pytest.raises(DataError, match=rf"12 training images, expected more than the {n_dev:,}"):
        read_mnist(folder, n_dev=n_dev)
    assert len(read_mnist(folder, n_dev=0).dev) == 0


def test_missing_file_is_told_with_its_names(folder: Path) -> None:
    (folder / FILES["test"][1]).unlink()
    with pytest.raises(DataError) as caught:
        read_mnist(folder, n_dev=5)
    assert str(caught.value) == (
        f"{folder}: no test labels, expected one of t10k-labels-idx1-ubyte, "
        "t10k-labels.idx1-ubyte, t10k-labels-idx1-ubyte.gz, t10k-labels.idx1-ubyte.gz"
    )


def test_labels_must_be_as_many_as_images(folder: Path) -> None:
    (folder / TRAIN_LABELS).write_bytes(idx_bytes(np.zeros(11, np.uint8)))
    with pytest.raises(DataError, match=r"train-labels\S* 11 labels, expected one for .* 12 image"):
        read_mnist(folder, n_dev=5)


def test_label_out_of_range_is_told_by_its_place(folder: Path) -> None:
    labels = np.arange(12, dtype=np.uint8)
    (folder / TRAIN_LABELS).write_bytes(idx_bytes(labels))
    with pytest.raises(DataError, match=r"train-labels\S* label number 11 is 10, expected 0 to 9"):
        read_mnist(folder, n_dev=5)


@pytest.mark.parametrize("shape", [(12, 28, 27), (12, 784)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...], folder: Path) -> None:
    (folder / TRAIN_IMAGES).write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    with pytest.raises(DataError, match=r"train-images\S* holds 12 x .*expected any x 28 x 28"):
        read_mnist(folder, n_dev=5)


def test_no_images_at_all_are_refused(folder: Path) -> None:
    for name, shape in zip(FILES["test"], ((0, 28, 28), (0,)), strict=True):
        (folder / name).write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    with pytest.raises(DataError, match=r"t10k-images\S* no images, expected at least one"):
        read_mnist(folder, n_dev=5)


def test_fingerprint_tells_one_pixel_and_one_label() -> None:
    images = made_up_images(5)
    prints = [images.fingerprint()]
    for array in (images.pixels, images.labels):
        array[3] ^= 1
        prints.append(images.fingerprint())
    assert [f["images"] for f in prints] == [5, 5, 5]
    assert len({f["checksum"] for f in prints}) == 3


def test_real_files(shared_data: Path) -> None:
    if not (shared_data / "mnist").is_dir():
        pytest.skip(f"no mnist in {shared_data}")
    mnist = read_mnist(shared_data / "mnist")
    assert (len(mnist.dev), len(mnist.test)) == (5000, 10000)
    counts = np.bincount(mnist.train.labels, minlength=10)
    assert counts.min() > 0.07 * len(mnist.train)
    assert 25 < mnist.train.pixels.mean() < 45
