"""MNIST's four files: found by their names, held against each other, split as the papers do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.mnist.images import (
    Images,
    Mnist,
    find_mnist,
    made_up_images,
    made_up_mnist,
    read_mnist,
)
from meprop_nlp.errors import DataError

from .idx_files import FILES, idx_bytes, write_mnist

TRAIN_IMAGES, TRAIN_LABELS = FILES["train"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_mnist(tmp_path, 12, 4)


def read(folder: Path) -> Mnist:
    return read_mnist(find_mnist(folder))


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
    mnist = read(folder)
    assert same(mnist.dev, made_up_images(12, 1)[:3])
    assert same(mnist.train, made_up_images(12, 1)[3:])
    assert same(mnist.test, made_up_images(4, 2))
    assert [len(part) for part in mnist] == [9, 3, 4]


def test_of_two_files_the_one_that_is_not_packed_is_taken(folder: Path) -> None:
    shutil.copy(folder / TRAIN_LABELS, folder / f"{TRAIN_LABELS}.gz")
    assert find_mnist(folder)["train_labels"] == folder / TRAIN_LABELS


@pytest.mark.parametrize("n", [1, 3, 4, 19_999, 20_000, 20_007])
def test_dev_is_the_papers_or_a_quarter(n: int, tmp_path: Path) -> None:
    write_mnist(tmp_path, 1, 1)
    (tmp_path / f"{TRAIN_IMAGES}.gz").unlink()
    (tmp_path / TRAIN_IMAGES).write_bytes(idx_bytes(np.zeros((n, 28, 28), np.uint8)))
    (tmp_path / TRAIN_LABELS).write_bytes(idx_bytes(np.zeros(n, np.uint8)))
    mnist = read(tmp_path)
    assert len(mnist.dev) == min(5000, n // 4)
    assert len(mnist.train) == n - len(mnist.dev)


def test_missing_file_is_told_with_its_name(folder: Path) -> None:
    (folder / FILES["test"][1]).unlink()
    with pytest.raises(DataError) as caught:
        find_mnist(folder)
    assert str(caught.value) == (
        f"{folder}: no test_labels, expected a file named t10k-labels[-.]idx1-ubyte*"
    )


def test_labels_must_be_as_many_as_images(folder: Path) -> None:
    (folder / TRAIN_LABELS).write_bytes(idx_bytes(np.zeros(11, np.uint8)))
    with pytest.raises(DataError, match=r"train-images\S* 12 images, and 11 labels in \S*train-la"):
        read(folder)


def test_label_out_of_range_is_told(folder: Path) -> None:
    labels = np.arange(12, dtype=np.uint8)
    (folder / TRAIN_LABELS).write_bytes(idx_bytes(labels))
    with pytest.raises(DataError, match=r"train-labels\S* a label is 11, expected 0 to 9"):
        read(folder)


@pytest.mark.parametrize("shape", [(12, 28, 27), (12, 784)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...], folder: Path) -> None:
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    with pytest.raises(
        DataError, match=r"train-images\S* is damaged, or no IDX file of N x 28 x 28"
    ):
        read(folder)


def test_no_images_at_all_are_refused(folder: Path) -> None:
    for name, shape in zip(FILES["test"], ((0, 28, 28), (0,)), strict=True):
        (folder / name).write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    with pytest.raises(DataError, match=r"t10k-images\S* 0 images, and 0 labels"):
        read(folder)


def test_fingerprint_tells_one_pixel_and_one_label() -> None:
    images = made_up_images(5, 0)
    prints = [images.fingerprint()]
    for array in (images.pixels, images.labels):
        array[3] ^= 1
        prints.append(images.fingerprint())
    assert [f["images"] for f in prints] == [5, 5, 5]
    assert len({f["checksum"] for f in prints}) == 3


def test_real_files(shared_data: Path) -> None:
    if not (shared_data / "mnist").is_dir():
        pytest.skip(f"no mnist in {shared_data}")
    mnist = read(shared_data / "mnist")
    assert [len(part) for part in mnist] == [19_345, 5_000, 10_000]
    counts = np.bincount(mnist.train.labels, minlength=10)
    assert counts.min() > 0.07 * len(mnist.train)
    assert 25 < mnist.train.pixels.mean() < 45


# what is made up


@given(st.integers(0, 300), st.integers(0, 2**32))
@settings(max_examples=25)
def test_images_are_drawn_from_the_seed_alone(n: int, seed: int) -> None:
    images, again = made_up_images(n, seed), made_up_images(n, seed)
    assert same(images, again)
    assert (images.pixels.shape, images.pixels.dtype) == ((n, 28, 28), np.uint8)
    counts = np.bincount(images.labels, minlength=10)
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 1


def test_made_up_images_differ_by_class_and_from_image_to_image() -> None:
    images = made_up_images(400, 3)
    assert len({pixels.tobytes() for pixels in images.pixels}) == 400
    bars = (images.pixels[:, :, 4:24] == 255).all(2)  # (N, 28)
    np.testing.assert_array_equal(bars.argmax(1), 2 * images.labels + 4)


def test_made_up_mnist_is_small_and_always_the_same() -> None:
    mnist = made_up_mnist()
    assert [len(images) for images in mnist] == [600, 200, 200]
    for images, again in zip(mnist, made_up_mnist(), strict=True):
        assert same(images, again)
