"""MNIST as a task: where its images are found, what stands for them, what is trained on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp.data.mnist import read_mnist
from meprop_nlp.errors import DataError
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.corpus import FULL
from meprop_nlp.reproduction.digits import N_DEV, N_TEST, N_TRAIN, made_up_digits, made_up_mnist
from meprop_nlp.reproduction.experiment import Row
from meprop_nlp.reproduction.experiments import EXPERIMENTS
from meprop_nlp.reproduction.images import image_corpus, images_of, made_up_corpus
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.running import run
from meprop_nlp.reproduction.settings import FULL_SCALE, PAPERS

from ..idx_files import write_mnist
from . import made

MakePlan = Callable[..., Plan]


# what is drawn


@given(st.integers(0, 300), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_digits_are_drawn_from_the_seed_alone(n: int, seed: int) -> None:
    images, again = made_up_digits(n, seed), made_up_digits(n, seed)
    np.testing.assert_array_equal(images.pixels, again.pixels)
    np.testing.assert_array_equal(images.labels, again.labels)
    assert (images.pixels.shape, images.pixels.dtype) == ((n, 28, 28), np.uint8)
    counts = np.bincount(images.labels, minlength=10)
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 1


def test_digits_differ_by_class_and_from_image_to_image() -> None:
    images = made_up_digits(400, 3)
    assert len({pixels.tobytes() for pixels in images.pixels}) == 400
    # noise is below 80 and ink from 120 up: an 8 has all strokes, a 1 has two of the seven
    ink = {d: (images.pixels[images.labels == d] >= 120).sum((1, 2)) for d in range(10)}
    assert all(len(set(counts.tolist())) == 1 for counts in ink.values())
    assert ink[1][0] < ink[7][0] < ink[2][0] < ink[8][0]


def test_parts_are_of_the_sizes_that_are_told() -> None:
    assert [len(images) for images in made_up_mnist()] == [N_TRAIN, N_DEV, N_TEST]
    corpus = made_up_corpus()
    assert corpus.described == "600 images to train on, 200 for dev, 200 for test"
    assert [len(images) for images in images_of(corpus)] == [600, 200, 200]
    assert made_up_corpus().fingerprint == corpus.fingerprint


# what is read


def test_images_are_found_in_the_folder_and_in_its_mnist(tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    write_mnist(folder, 40, 20)
    outer, inner = image_corpus(tmp_path), image_corpus(folder)
    assert outer == inner
    assert outer.described == "30 images to train on, 10 for dev, 20 for test"
    whole = read_mnist(folder, n_dev=10)
    for images, expected in zip(images_of(outer), whole, strict=True):
        assert images.fingerprint() == expected.fingerprint()
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    assert image_corpus(folder).fingerprint != outer.fingerprint


def test_missing_or_damaged_images_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no train images, expected one of .*; name a folder"):
        image_corpus(tmp_path)
    write_mnist(tmp_path, 40, 20)
    path = tmp_path / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte: the file is cut short"):
        image_corpus(tmp_path)


def test_first_five_thousand_are_for_dev(shared_data: Path) -> None:
    train, dev, test = images_of(image_corpus(shared_data))
    assert (len(train), len(dev), len(test)) == (19_345, 5_000, 10_000)
    assert dev.fingerprint() == read_mnist(shared_data / "mnist").dev.fingerprint()


# what is trained


def cells_of(plan: Plan, name: str) -> dict[str, Cell]:
    places = (p for p in plan.places() if (p.experiment.name, p.seed) == (name, 1))
    return {p.row.key: cell for p in places if (cell := plan.cell(p)) is not None}


def test_settings_are_the_papers(make_plan: MakePlan) -> None:
    names = ("main", "layers", "simplify")
    plan = make_plan(*(EXPERIMENTS[name] for name in names), scale=FULL_SCALE, tasks=("mnist",))
    main, layers, simplify = (cells_of(plan, name) for name in names)
    assert main.keys() == {f"{o} {k}" for o in ("adam", "adagrad") for k in ("dense", "k20", "k80")}
    told = main["adam k20"].settings()
    assert told["config"] == {"layers": 3, "hidden": 500, "dropout": 0.0, "sparse_output": True}
    assert told["meprop"] == {"k": 20, "topk_mode": "example"}
    training = main["adam k20"].training
    assert (training.batch_size, training.learning_rate, training.epochs) == (10, 1e-3, 20)
    assert (training.decay, training.clip, training.patience) == (False, 0, 0)
    assert main["adagrad dense"].training.learning_rate == 0.1
    # the output layer counts: 2 to 5 in Table 5
    depths = [layers[f"meprop {n}"].config.to_dict()["layers"] for n in (1, 2, 3, 4)]
    assert depths == [2, 3, 4, 5]
    assert simplify["cut"].meprop.k == 160
    assert simplify["cut"].simplify is not None
    assert (simplify["cut"].simplify.prune_rate, simplify["cut"].simplify.cycle) == (0.1, 5)


def test_digits_are_learnt_scored_and_kept(make_plan: MakePlan) -> None:
    rows = (Row("dense", "dense", {"epochs": 3}), Row("k2", "k 2", {"k": 2, "epochs": 3}))
    small = made.experiment("small", "mnist", rows=rows)
    plan = make_plan(small, seeds=1, data=None)
    assert run(plan) == []
    dense, sparse = plan.store.all()
    assert (dense["main"], dense["corpus"]["name"]) == ("accuracy", "made-up-digits")
    assert dense["cell"].startswith("mnist-made-up-digits-h12-dense-")
    for result in (dense, sparse):
        assert result["decode_words_per_second"] is None
        assert result["corpus"]["exclude_punct"] is False
        assert result["dev"].keys() == result["test"].keys() == {"accuracy"}
    assert dense["test"]["accuracy"] > 30  # of ten classes


def test_table_is_headed_by_its_name_and_its_images(make_plan: MakePlan) -> None:
    from meprop_nlp.reproduction.section import block_heading, settings_line

    plan = make_plan(EXPERIMENTS["main"], tasks=("mnist",))
    (block,) = plan.blocks(EXPERIMENTS["main"])
    assert (block.part, block.kind) == (FULL, PAPERS)
    cell = plan.base(block, 1)
    assert block_heading(block, cell.corpus.name) == "MNIST, the papers' settings"
    assert block_heading(block, "digits") == "MNIST, digits, the papers' settings"
    line = settings_line(cell)
    assert line.startswith("30 images to train on, 10 for dev, 20 for test. Unless a row says")
    assert "hidden 12; 3 layers, the output among them; dropout 0; Adam" in line
    assert "minibatch 8;" in line
    assert "minibatch 10;" in settings_line(cell.changed(batch_size=0))
