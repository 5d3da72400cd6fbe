"""The tree head of the joint model, against a loop over the words."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.training.heads.graph import ArcScores, GraphNetwork
from meprop_nlp.training.heads.head import States, Widths
from meprop_nlp.training.joint import JointBatch, JointTask
from meprop_nlp.training.layout import Layout

Make = Callable[..., JointTask]
heads_of_the_model = pytest.mark.parametrize("heads", [("tree",), ("tags", "tree")])


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.1 * x)


class Naive(NamedTuple):
    """A word's scores: of its heads by their ids, and of the labels of the arc from its head."""

    arcs: dict[int, float]
    labels: np.ndarray


def naive_scores(task: JointTask, states: States, treebank: list[Sentence]) -> list[Naive]:
    """The scores of all words in the order of the treebank, each pair of words by itself."""
    weights = {
        name: parameter.detach().double().numpy()
        for name, parameter in task.network.get_submodule("tree").named_parameters()
    }

    def layer(name: str, x: np.ndarray) -> np.ndarray:
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    found = []
    ends = accumulate(map(len, treebank), initial=0)
    for sentence, (start, end) in zip(treebank, pairwise(ends), strict=True):
        x = states.context[start:end].double().numpy()
        if states.tags is not None:
            tags = states.tags[start:end].double().numpy()
            x = np.concatenate([x, tags @ weights["tags.weight"].T], 1)
        vectors = [weights["root.weight"][0], *x]
        for dependent, head in enumerate(sentence.column("head"), start=1):
            asks = layer("arcs", leaky(layer("arc_dep", vectors[dependent])))
            arcs = {
                other: float(asks @ leaky(layer("arc_head", vector)))
                for other, vector in enumerate(vectors)
                if other != dependent
            }
            ends_of_arc = layer("label_dep", vectors[dependent]) + layer(
                "label_head", vectors[head]
            )
            found.append(Naive(arcs, layer("labels", leaky(ends_of_arc))))
    return found


def states_of(task: JointTask, batch: JointBatch) -> States:
    """What the heads read of a minibatch, with the tags' probabilities."""
    layout = Layout.of(batch.batch_sizes, task.device)
    forms, (*_, context) = task.network.encoder(task._inputs(batch))
    states = States(forms, context, layout)
    if "tags" in task.heads:
        task.network.get_submodule("tags")(states)
    return states


def in_order(states: States, batch: JointBatch) -> States:
    """The states in the order of the treebank, of which the minibatch is the whole."""
    order = torch.from_numpy(np.argsort(batch.words))
    tags = None if states.tags is None else states.tags[order].detach()
    return States(states.forms[order].detach(), states.context[order].detach(), states.layout, tags)


def everything(task: JointTask) -> tuple[JointBatch, States, ArcScores]:
    """The treebank as one minibatch, its states, and the answer of the tree head."""
    task.batch_size = 10**6
    (batch,) = task.batches(np.random.default_rng(1))
    with torch.no_grad():
        states = states_of(task, batch)
        return batch, states, task.network.get_submodule("tree")(states)


def minus_log_share(scores: list[float], chosen: float) -> float:
    return math.log(sum(math.exp(score) for score in scores)) - chosen


@heads_of_the_model
def test_loss_is_the_naive_one(
    make_joint: Make, crossing: list[Sentence], heads: tuple[str, ...]
) -> None:
    task = make_joint(crossing, seed=4, heads=heads)
    (whole, states, _) = everything(task)
    naive = naive_scores(task, in_order(states, whole), crossing)
    heads_of_words = [head for sentence in crossing for head in sentence.column("head")]
    deprels = [deprel for sentence in crossing for deprel in sentence.column("deprel")]
    head_module: Any = task.heads["tree"]
    losses = [
        minus_log_share(list(each.arcs.values()), each.arcs[head])
        + minus_log_share(each.labels.tolist(), each.labels[head_module.labels.index(deprel)])
        for each, head, deprel in zip(naive, heads_of_words, deprels, strict=True)
    ]
    task.batch_size = 12
    batches = list(task.batches(np.random.default_rng(2)))
    assert len(batches) > 2
    for batch in (whole, *batches):
        words = torch.from_numpy(batch.words)
        with torch.no_grad():
            answer = task.network.get_submodule("tree")(states_of(task, batch))
            layout = Layout.of(batch.batch_sizes, task.device)
            actual = head_module.loss(answer, words, layout).item()
        expected = np.mean([losses[word] for word in batch.words])
        assert actual == pytest.approx(float(expected), rel=1e-4)


@heads_of_the_model
def test_word_is_scored_with_root_and_every_other_word_of_its_sentence(
    make_joint: Make, crossing: list[Sentence], heads: tuple[str, ...]
) -> None:
    task = make_joint(crossing, seed=5, heads=heads)
    batch, states, answer = everything(task)
    naive = naive_scores(task, in_order(states, batch), crossing)
    assert answer.arcs.shape == (batch.n_words, 1 + max(map(len, crossing)))
    for row, word in enumerate(batch.words.tolist()):
        scores = answer.arcs[row].tolist()
        found = {head: score for head, score in enumerate(scores) if score != -math.inf}
        assert found == pytest.approx(naive[word].arcs, rel=1e-4, abs=1e-4)
    lengths = sorted(map(len, crossing), reverse=True)
    assert states.layout.is_word.sum(1).tolist() == lengths


def test_labels_are_learnt_of_the_gold_arcs(make_joint: Make, crossing: list[Sentence]) -> None:
    task = make_joint(crossing, seed=6, heads=("tree",))
    batch, _, answer = everything(task)
    rows = {word: row for row, word in enumerate(batch.words.tolist())}
    starts = list(accumulate(map(len, crossing), initial=0))
    gold = [
        len(rows) if head == 0 else rows[start + head - 1]
        for sentence, start in zip(crossing, starts, strict=False)
        for head in sentence.column("head")
    ]
    read: list[torch.Tensor] = []

    def scores(dependents: torch.Tensor, heads: torch.Tensor) -> torch.Tensor:
        read.extend([dependents, heads])
        return task.network.get_submodule("tree").label_scores(dependents, heads)

    layout = Layout.of(batch.batch_sizes, task.device)
    words = torch.from_numpy(batch.words)
    task.heads["tree"].loss(answer._replace(label_scores=scores), words, layout)
    dependents, heads = read
    assert_close(dependents, answer.dependents)
    assert_close(heads, answer.heads[[gold[word] for word in batch.words]])


def test_teacher_is_asked_about_the_arcs_and_about_the_labels_of_the_gold_arcs(
    make_joint: Make, crossing: list[Sentence]
) -> None:
    task, other = (make_joint(crossing, seed=seed, heads=("tree",)) for seed in (7, 8))
    (batch, _, answer), (_, _, theirs) = everything(task), everything(other)
    naive = [
        naive_scores(each, in_order(states, whole), crossing)
        for each in (task, other)
        for whole, states, _ in [everything(each)]
    ]
    soft = []
    for own, teacher in zip(*naive, strict=True):
        shares = np.exp(list(teacher.arcs.values())) / sum(map(math.exp, teacher.arcs.values()))
        by_arcs = [minus_log_share(list(own.arcs.values()), score) for score in own.arcs.values()]
        labels = np.exp(teacher.labels) / np.exp(teacher.labels).sum()
        by_labels = [minus_log_share(own.labels.tolist(), score) for score in own.labels]
        soft.append(shares @ by_arcs + labels @ by_labels)
    words, layout = torch.from_numpy(batch.words), Layout.of(batch.batch_sizes, task.device)
    head = task.heads["tree"]
    with torch.no_grad():
        hard = head.loss(answer, words, layout).item()
        targets = head.soft_targets(theirs, words, layout)
        actual = head.loss(answer, words, layout, targets).item()
    assert actual == pytest.approx(0.5 * hard + 0.5 * float(np.mean(soft)), rel=1e-4)


@pytest.mark.parametrize(("k", "expected"), [(None, None), (0, 0), (1, 2), (4, 8)])
def test_layers_keep_the_same_share_of_their_gradients_as_the_encoder(
    k: int | None, expected: int | None
) -> None:
    config = JointConfig(hidden=20, arc_dim=40, label_dim=5).fitted(n_words=100)
    network = GraphNetwork(Widths(8, 40, 0), 3, config, MePropConfig(k=k))
    assert network.arc_dep.k == network.arc_head.k == expected
    # a k of 0 would keep everything
    assert network.label_dep.k == network.label_head.k == (1 if k else k)
