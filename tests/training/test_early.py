"""What the first layer and the forms' vectors learn by outputs of their own, in training alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import log_softmax
from torch.testing import assert_close

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.training.heads.early import EARLY
from meprop_nlp.training.heads.targets import UNKNOWN
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.simplification.teacher import Teacher
from meprop_nlp.training.weights import arrays_of

Make = Callable[..., JointTask]


def naive_loss(task: JointTask, batch: Any) -> float:
    """The early losses of a minibatch, added up word by word."""
    early, smoothing = task.network.early, task.config.smoothing
    assert early is not None
    classes = dict(chain(*(head.word_classes().items() for head in task.heads.values())))
    total = 0.0
    with torch.no_grad():
        forms, layers = task.network.encoder(task._inputs(batch, hide=False))
    for outputs, vectors in ((early.of_forms, forms), (early.of_states, layers[0])):
        for name, output in outputs.items():
            losses = []
            for vector, place in zip(vectors, batch.words, strict=True):
                target = int(classes[name].targets[place])
                if target == UNKNOWN:
                    continue
                chances = log_softmax(output(vector), 0).detach()
                uniform = -chances.mean()
                losses.append((1 - smoothing) * -chances[target] + smoothing * uniform)
            total += float(sum(losses) / len(losses)) if losses else 0.0
    return total


@pytest.mark.parametrize("layers", [1, 2])
def test_loss_is_that_of_each_word(make_joint: Make, treebank: list[Sentence], layers: int) -> None:
    partly = [
        sentence.with_columns(xpos=["_"] * len(sentence)) if n % 2 else sentence
        for n, sentence in enumerate(treebank)
    ]
    task = make_joint(partly, seed=1, layers=layers, smoothing=0.2, early_weight=0.5)
    assert task.network.early is not None
    assert set(task.network.early.of_forms) == {"upos", "xpos", "deprel"}
    for batch in task.batches(np.random.default_rng(1)):
        task.loss(batch)
        assert task.losses[EARLY].item() == pytest.approx(0.5 * naive_loss(task, batch), rel=1e-4)


def test_first_layer_learns_from_it_and_the_others_do_not(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    task = make_joint(treebank, seed=2)
    batch = next(task.batches(np.random.default_rng(1)))
    early = task.network.early
    assert early is not None
    forms, layers = task.network.encoder(task._inputs(batch))
    early.loss(early(forms, layers[0]), torch.from_numpy(batch.words)).backward()
    learns = {name for name, p in task.network.named_parameters() if p.grad is not None}
    of_layers = {name.split(".")[2] for name in learns if name.startswith("encoder.layers.")}
    assert of_layers == {"0"}
    assert "encoder.words.weight" in learns
    assert not any(name.startswith(tuple(task.heads)) for name in learns)


@pytest.mark.parametrize(
    "given", [{"early_weight": 0.0}, {"heads": ("lemmas",)}], ids=["no weight", "no classes"]
)
def test_nothing_is_added_where_nothing_is_to_learn(
    make_joint: Make, treebank: list[Sentence], given: dict[str, Any]
) -> None:
    task = make_joint(treebank, seed=3, **given)
    task.loss(next(task.batches(np.random.default_rng(1))))
    assert task.network.early is None
    assert EARLY not in task.losses


def test_it_learns_in_training_until_the_uncut_network_teaches(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_joint(treebank, seed=4)
    batch = next(task.batches(np.random.default_rng(1)))
    task.loss(batch)
    assert EARLY in task.losses
    teacher = Teacher(task.network)
    for synthetic in (0.0, 1.0):  # the chance that words are swapped
        monkeypatch.setattr(JointTask, "synthetic", synthetic)
        task.loss(batch, teacher)
        assert EARLY not in task.losses
    task.network.eval()
    task.loss(batch)
    assert EARLY not in task.losses


def test_model_file_has_nothing_of_it(make_joint: Make, treebank: list[Sentence]) -> None:
    task, without = (make_joint(treebank, seed=5, early_weight=w) for w in (0.3, 0.0))
    own = arrays_of(task.network)
    assert {name.split(".")[0] for name in own.keys() - task.arrays().keys()} == {EARLY}
    assert task.arrays().keys() == without.arrays().keys()
    assert_close(own["tags.outputs.upos.weight"], task.arrays()["tags.outputs.upos.weight"])
    task.frozen().evaluate(treebank)
