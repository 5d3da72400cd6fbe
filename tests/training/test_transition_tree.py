"""The transition head of the joint model, against a loop over the states of each sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_projective
from meprop_nlp.models.model import load
from meprop_nlp.models.packing import rounded
from meprop_nlp.parsing.oracles import DynamicOracle, StaticOracle
from meprop_nlp.parsing.projectivity import LIFTED
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import ArcHybrid
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.training.heads import transitions
from meprop_nlp.training.heads.head import States, Widths
from meprop_nlp.training.heads.transitions import Places, TransitionNetwork
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointBatch, JointTask
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.records import Note
from meprop_nlp.training.weights import arrays_of

Make = Callable[..., JointTask]
Train = Callable[..., Any]
PLACES = ("s0", "s1", "s2", "b0")


def make_task(make_joint: Make, sentences: list[Sentence], **given: Any) -> JointTask:
    return make_joint(sentences, tree="transitions", **{"heads": ("tags", "tree"), **given})


def states_of(task: JointTask, batch: JointBatch) -> States:
    """What the heads read of a minibatch, with the tags' probabilities."""
    layout = Layout.of(batch.batch_sizes, task.device)
    forms, (*_, context) = task.network.encoder(task._inputs(batch))
    states = States(forms, context, layout)
    if "tags" in task.heads:
        task.network.get_submodule("tags")(states)
    return states


def everything(task: JointTask) -> tuple[JointBatch, States, Places]:
    """The treebank as one minibatch, its states, and the answer of the tree head."""
    task.batch_size = 10**6
    (batch,) = task.batches(np.random.default_rng(1))
    with torch.no_grad():
        states = states_of(task, batch)
        return batch, states, task.network.get_submodule("tree")(states)


class Seen(NamedTuple):
    """A state: the scores of its valid transitions, and the right ones."""

    scores: dict[int, float]
    right: tuple[int, ...]


class Naive:
    """The network in double precision, one state at a time."""

    def __init__(self, task: JointTask, treebank: list[Sentence]) -> None:
        self.tree: Any = task.heads["tree"]
        self.weights = {
            name: parameter.detach().double().numpy()
            for name, parameter in self.tree.network.named_parameters()
        }
        batch, states, _ = everything(task)
        x = states.context.double().numpy()
        if states.tags is not None:
            x = np.concatenate([x, states.tags.double().numpy() @ self.weights["tags.weight"].T], 1)
        self.x = x[np.argsort(batch.words)]
        self.spans = list(pairwise(accumulate(map(len, treebank), initial=0)))
        self.task, self.treebank = task, treebank

    def scores(self, state: State, start: int) -> dict[int, float]:
        stack, buffer = state.stack, state.buffer
        words = [stack[-i] if len(stack) >= i else -1 for i in (1, 2, 3)]
        words.append(buffer[-1] if buffer else -1)
        hidden = 0
        for place, word in zip(PLACES, words, strict=True):
            vector = self.x[start + word - 1] if word > 0 else self.weights["special.weight"][-word]
            hidden += self.weights[f"{place}.weight"] @ vector + self.weights[f"{place}.bias"]
        hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
        scores = self.weights["output.weight"] @ hidden + self.weights["output.bias"]
        valid = [t for t in range(len(scores)) if self.tree.system.is_valid(state, t)]
        return {transition: float(scores[transition]) for transition in valid}

    def walk(
        self, number: int, *, own: bool = False, oracle: Any = None
    ) -> tuple[State, list[Seen]]:
        """Parse a sentence by the gold derivation, or by the network's own choices."""
        start, end = self.spans[number]
        state, seen = self.tree.system.initial(end - start), []
        oracle = oracle and oracle(
            self.tree.system, *map(np.ndarray.tolist, self.tree._trees[number])
        )
        while not state.is_terminal():
            scores = self.scores(state, start)
            right = oracle.next(state) if oracle else ()
            right = right if isinstance(right, tuple) else (right,)
            seen.append(Seen(scores, right))
            made = max(scores, key=scores.__getitem__) if own else right[0]
            self.tree.system.apply(state, made)
        return state, seen


def minus_log_share(scores: dict[int, float], chosen: int) -> float:
    return math.log(sum(map(math.exp, scores.values()))) - scores[chosen]


def mean_by_word(task: JointTask, seen: list[Seen], n_words: int) -> float:
    """The loss, by the right transition of each state with the best score."""
    losses = [minus_log_share(s.scores, max(s.right, key=s.scores.__getitem__)) for s in seen]
    return sum(losses) / n_words


def loss_of(task: JointTask, batch: JointBatch, teacher: Places | None = None) -> float:
    with torch.no_grad():
        answer = task.network.get_submodule("tree")(states_of(task, batch))
        layout = Layout.of(batch.batch_sizes, task.device)
        words = torch.from_numpy(batch.words)
        return task.heads["tree"].loss(answer, words, layout, teacher).item()


@pytest.mark.parametrize("heads", [("tree",), ("tags", "tree")], ids=str)
@pytest.mark.parametrize("fixture", ["treebank", "crossing"])
def test_loss_is_the_naive_one(
    make_joint: Make, request: pytest.FixtureRequest, fixture: str, heads: tuple[str, ...]
) -> None:
    sentences = request.getfixturevalue(fixture)
    task = make_task(make_joint, sentences, seed=4, heads=heads)
    task.network.eval()
    naive = Naive(task, sentences)
    by_sentence = [naive.walk(i, oracle=StaticOracle)[1] for i in range(len(sentences))]
    task.batch_size = 8
    batches = list(task.batches(np.random.default_rng(2)))
    assert len(batches) > 2
    for batch in (everything(task)[0], *batches):
        members = {i for i, (start, _) in enumerate(naive.spans) if start in batch.words}
        seen = [each for i in members for each in by_sentence[i]]
        expected = mean_by_word(task, seen, len(batch.words))
        assert loss_of(task, batch) == pytest.approx(expected, rel=1e-4)


def test_in_training_the_head_learns_from_the_states_that_it_reaches_itself(
    make_joint: Make, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(make_joint, treebank, seed=5)
    naive = Naive(task, treebank)
    walks = [naive.walk(i, own=True, oracle=DynamicOracle)[1] for i in range(len(treebank))]
    batch, _, _ = everything(task)
    monkeypatch.setattr(transitions, "EXPLORED", 1.0)
    task.network.train()
    expected = mean_by_word(task, [seen for walk in walks for seen in walk], len(batch.words))
    assert loss_of(task, batch) == pytest.approx(expected, rel=1e-4)
    task.network.eval()
    gold = loss_of(task, batch)
    assert gold != pytest.approx(expected, rel=1e-2)
    monkeypatch.setattr(transitions, "EXPLORED", 0.0)
    task.network.train()
    assert loss_of(task, batch) == pytest.approx(gold, rel=1e-6)


def test_some_sentences_are_explored_and_others_not(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    task = make_task(make_joint, treebank, seed=5)
    batch, _, _ = everything(task)
    task.network.train()
    torch.manual_seed(1)
    losses = [loss_of(task, batch) for _ in range(8)]
    assert len({round(loss, 4) for loss in losses}) > 2
    torch.manual_seed(1)
    assert loss_of(task, batch) == losses[0]


@pytest.mark.usefixtures("fine_digits")
@pytest.mark.parametrize("fixture", ["treebank", "crossing"])
def test_stored_model_parses_as_the_network(
    make_joint: Make, request: pytest.FixtureRequest, fixture: str
) -> None:
    sentences = request.getfixturevalue(fixture)
    for seed in range(3):
        task = make_task(make_joint, sentences, seed=seed)
        stored = rounded(arrays_of(task.network))
        with torch.no_grad():
            for name, parameter in task.network.named_parameters():
                parameter.copy_(torch.from_numpy(stored[name]))
        task.network.eval()
        naive, tree = Naive(task, sentences), task.heads["tree"]
        assert isinstance(tree, transitions.TransitionTree)
        parsed = task.frozen().pipe(sentences, confidence=True)
        for number, sentence in enumerate(parsed):
            state, seen = naive.walk(number, own=True)
            heads, labels = state.tree()
            assert sentence.column("head") == heads
            assert sentence.column("deprel") == [tree.labels[label] for label in labels]
            shares = sorted(
                round(math.exp(-minus_log_share(s.scores, best)), 2)
                for s in seen
                for best in (max(s.scores, key=s.scores.__getitem__),)
                if best >= tree.system.left_start
            )
            misc = [float(text.partition("ArcConf=")[2]) for text in sentence.column("misc")]
            np.testing.assert_allclose(sorted(misc), shares, atol=0.006)


def test_teacher_is_asked_about_the_same_states(make_joint: Make, treebank: list[Sentence]) -> None:
    task, other = (make_task(make_joint, treebank, seed=seed, heads=("tree",)) for seed in (7, 8))
    task.network.eval()
    (batch, _, _), (_, _, theirs) = everything(task), everything(other)
    own, teacher = Naive(task, treebank), Naive(other, treebank)
    soft = 0.0
    for i in range(len(treebank)):
        walks = [naive.walk(i, oracle=StaticOracle)[1] for naive in (own, teacher)]
        for mine, answers in zip(*walks, strict=True):
            total = sum(map(math.exp, answers.scores.values()))
            for transition, score in answers.scores.items():
                soft += math.exp(score) / total * minus_log_share(mine.scores, transition)
    hard = loss_of(task, batch)
    expected = 0.5 * hard + 0.5 * soft / len(batch.words)
    assert loss_of(task, batch, theirs) == pytest.approx(expected, rel=1e-4)


def test_cut_network_is_the_network_with_those_neurons_masked(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    task = make_task(make_joint, treebank, seed=3, heads=("tree",), layers=1)
    network, (layer,) = task.network, task.network.encoder.layers
    network.eval()
    assert [part.name for part in task.simplified_layers()] == [
        "layer1.forward", "layer1.backward", "tree.states",
    ]  # fmt: skip
    cut = {"layer1.forward": [0, 3], "layer1.backward": [1], "tree.states": [2, 5]}
    with torch.no_grad():
        for name, part in (("forward", layer.left_to_right), ("backward", layer.right_to_left)):
            part.weight_hh_l0[:, cut[f"layer1.{name}"]] = 0
        for name in (*PLACES, "special"):
            network.tree.get_submodule(name).weight[:, [0, 3, 7]] = 0
        network.tree.output.weight[:, [2, 5]] = 0
    batch, _, _ = everything(task)
    masked = loss_of(task, batch)
    scores, widths = {}, {}
    for part in task.simplified_layers():
        scores[part.name] = torch.ones(len(part.layer.hits))
        scores[part.name][cut[part.name]] = 0
        widths[part.name] = len(part.layer.hits) - len(cut[part.name])
    simplifier = Simplifier(task.simplified_layers(), min_neurons=1)
    simplifier.step(torch.optim.Adam(network.parameters()), widths=widths, scores=scores)
    assert loss_of(task, batch) == pytest.approx(masked, rel=1e-5)
    arrays = task.frozen().file.arrays
    assert {arrays[f"tree.{place}.weight"].shape for place in PLACES} == {(7, 9)}
    task.frozen().evaluate(treebank)


LEARNING: dict[str, Any] = {
    "config": {
        "tree": "transitions", "hidden": 16, "layers": 1, "arc_dim": 24, "dropout": 0.0,
        "part_dropout": 0.0, "word_dropout": 0.0, "smoothing": 0.0,
    },
    "training": {"batch_size": 10, "learning_rate": 0.03, "epochs": 50},
    "k": 6,
}  # fmt: skip


@pytest.mark.parametrize("simplify", [None, {"first_cut_epoch": 15, "keep": 0.6}], ids=str)
@pytest.mark.parametrize("which", ["treebank", "crossing", "few-crossing"])
def test_trees_are_learnt_by_heart(
    train: Train,
    treebank: list[Sentence],
    crossing: list[Sentence],
    tmp_path: Path,
    which: str,
    simplify: Any,
) -> None:
    sentences = {
        "treebank": treebank,
        "crossing": crossing[:-1],
        "few-crossing": [*treebank, *treebank, *treebank, crossing[-2]],
    }[which]
    output, records = tmp_path / "model.safetensors", []
    model = train(
        "joint",
        sentences,
        sentences,
        output=output,
        simplify=simplify,
        hooks=Hooks(on_record=records.append),
        **LEARNING,
    )
    header = model.file.header
    assert header["transition_system"] == (
        "arc-standard-swap" if which == "crossing" else "arc-hybrid"
    )
    assert any(LIFTED in label for label in header["labels"]) == (which == "few-crossing")
    notes = [record.text for record in records if isinstance(record, Note) and record.warning]
    assert (
        notes
        == {
            "treebank": [],
            "crossing": ["non-projective trees: 1 (11.1 %), trained on with SWAP"],
            "few-crossing": [
                "non-projective trees: 1 (4.0 %), lifted, with the way back in their labels "
                "(pseudo-projective)"
            ],
        }[which]
    )
    assert model.evaluate(sentences).las == 100
    loaded = load(output)
    expected = [str(sentence) for sentence in model.pipe(sentences)]
    assert [str(sentence) for sentence in loaded.pipe(sentences)] == expected
    if which == "crossing":
        assert not is_projective(loaded(crossing[-2].forms).column("head"))
    if simplify:
        assert header["neurons"]["tree.states"] == 14  # of 24


def test_head_is_trained_without_the_core_as_with_it(
    train: Train, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = LEARNING | {"training": {"epochs": 3}}
    expected = train("joint", treebank, **small).file.arrays
    monkeypatch.setattr("meprop_nlp.models.heads.transitions.core", lambda: None)
    actual = train("joint", treebank, **small).file.arrays
    for name, array in expected.items():
        np.testing.assert_array_equal(actual[name], array)


@pytest.mark.parametrize(("k", "expected"), [(None, None), (0, 0), (1, 2), (4, 8)])
def test_layers_keep_the_same_share_of_their_gradients_as_the_encoder(
    k: int | None, expected: int | None
) -> None:
    config = JointConfig(hidden=20, arc_dim=40).fitted(n_words=100)
    network = TransitionNetwork(Widths(8, 40, 0), 3, config, MePropConfig(k=k))
    assert {layer.k for layer in network.places} == {expected}


def test_system_is_chosen_by_the_share_of_crossing_trees(
    make_joint: Make, treebank: list[Sentence], crossing: list[Sentence]
) -> None:
    for copies, name in ((18, "arc-standard-swap"), (19, "arc-hybrid")):
        sentences = [crossing[-2], *(treebank[1:2] * copies)]
        tree: Any = make_task(make_joint, sentences).heads["tree"]
        assert tree.system.name == name
        assert isinstance(tree.system, ArcHybrid) == (name == "arc-hybrid")
