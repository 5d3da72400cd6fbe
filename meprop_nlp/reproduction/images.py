"""The images of a cell: MNIST found in a folder, or the made-up digits."""

from __future__ import annotations

import hashlib
from pathlib import Path

from meprop_nlp.config import MNIST_DEV_IMAGES
from meprop_nlp.data.mnist import Mnist, find_mnist, read_mnist
from meprop_nlp.errors import DataError
from meprop_nlp.reproduction.corpus import Corpus
from meprop_nlp.reproduction.digits import made_up_mnist

__all__ = ["image_corpus", "images_of", "made_up_corpus"]

FOLDER = "mnist"
# of the training images, where there are fewer than the papers' dev set asks for
_MOST_FOR_DEV = 0.25


def made_up_corpus() -> Corpus:
    """Return digits that are drawn, not read: no files."""
    mnist = made_up_mnist()
    drawn = str([images.fingerprint() for images in mnist])
    digest = hashlib.sha256(drawn.encode()).hexdigest()
    return Corpus("made-up-digits", {}, digest[:12], _described(mnist))


def image_corpus(data: Path) -> Corpus:
    """Find MNIST's four files: in the folder `mnist` of `data`, or in `data` itself.

    Raises:
        DataError: they are not there, or cannot be used.
    """
    folder = data / FOLDER if (data / FOLDER).is_dir() else data
    try:
        files = find_mnist(folder)
    except DataError as error:
        raise DataError(
            f"{error}; name a folder that has {FOLDER} with the four files in it with --data, or "
            "try --quick"
        ) from None
    corpus = Corpus.of(folder.resolve().name, files)
    return Corpus(corpus.name, files, corpus.fingerprint, _described(images_of(corpus)))


def images_of(corpus: Corpus) -> Mnist:
    """Read the images of a corpus.

    The first 5,000 training images are the dev set, as in the papers; of fewer than 20,000, the
    first quarter.

    Raises:
        DataError: a file is missing or damaged.
    """
    if not corpus.files:
        return made_up_mnist()
    train, _, test = read_mnist("", n_dev=0, files=corpus.files)
    n_dev = min(MNIST_DEV_IMAGES, int(_MOST_FOR_DEV * len(train)))
    return Mnist(train[n_dev:], train[:n_dev], test)


def _described(mnist: Mnist) -> str:
    train, dev, test = map(len, mnist)
    return f"{train:,} images to train on, {dev:,} for dev, {test:,} for test"
