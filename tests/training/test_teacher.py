"""The uncut network as a teacher: swapped words, the loss, and that it stays as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from meprop_nlp.config import (
    Settings,
    SimplifyConfig,
    TrainingConfig,
)
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.training.heads.tags import TaggerTask
from meprop_nlp.training.heads.tree import ParserTask
from meprop_nlp.training.loop import Trainer
from meprop_nlp.training.records import EpochRecord
from meprop_nlp.training.simplification import teacher as module
from meprop_nlp.training.simplification.swaps import Swaps
from meprop_nlp.training.simplification.teacher import Teacher, distilled

CPU = torch.device("cpu")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=60))
def test_forms_are_swapped_within_their_most_frequent_tag(words):
    numbers = {form: n for n, form in enumerate(dict.fromkeys(form for form, _ in words))}
    forms = np.array([numbers[form] for form, _ in words], np.int64)
    tags = np.array([tag for _, tag in words], np.int64)

    def tag_of(form: int) -> int:
        counts = np.bincount(tags[forms == form], minlength=4)
        return int(counts.argmax())  # of equal ones the first

    torch.manual_seed(len(words))
    swapped = Swaps(forms, tags)(torch.from_numpy(forms))
    assert swapped.shape == forms.shape
    for before, after in zip(forms.tolist(), swapped.tolist(), strict=True):
        assert tag_of(before) == tag_of(after)


def test_half_of_the_words_are_swapped_for_any_of_their_kind_alike():
    torch.manual_seed(1)
    forms = np.arange(12, dtype=np.int64)
    swaps = Swaps(forms, np.array([0] * 4 + [1] * 8))
    drawn = swaps(torch.zeros(20_000, dtype=torch.int64))
    counts = torch.bincount(drawn, minlength=12)
    assert counts[4:].sum() == 0
    # half stay, and of the other half a quarter is swapped for itself
    assert counts[0] / 20_000 == pytest.approx(0.5 + 0.5 / 4, abs=0.02)
    assert (counts[1:4] / 20_000).tolist() == pytest.approx([0.125] * 3, abs=0.02)


def test_loss_is_half_by_the_labels_and_half_by_the_answers():
    logits = torch.tensor([[1.0, 2.0, -torch.inf], [0.0, -1.0, 3.0]], requires_grad=True)
    answers = torch.tensor([[0.5, 0.0, -torch.inf], [1.0, 2.0, 0.0]])
    by_labels = torch.tensor(0.7)
    expected = 0.0
    for z, a in zip(logits.tolist(), answers.tolist(), strict=True):
        z, a = (np.array(row) for row in (z, a))
        shares = np.exp(a) / np.exp(a).sum()
        logs = z - np.log(np.exp(z).sum())
        expected -= sum(p * log for p, log in zip(shares, logs, strict=True) if p) / 2
    synthetic = distilled(by_labels, logits, answers, synthetic=True)
    assert synthetic.item() == pytest.approx(expected, rel=1e-5)
    half = distilled(by_labels, logits, answers, synthetic=False)
    assert half.item() == pytest.approx(0.5 * 0.7 + 0.5 * expected, rel=1e-5)
    half.backward()
    assert torch.isfinite(logits.grad).all()


def test_nothing_is_learnt_from_a_teacher_that_agrees():
    logits = torch.randn(5, 4, requires_grad=True)
    distilled(torch.tensor(0.0), logits, logits.detach(), synthetic=True).backward()
    assert_close(logits.grad, torch.zeros(5, 4), atol=1e-7, rtol=0)


def test_teacher_stays_as_it_was_and_does_not_drop_out():
    torch.manual_seed(2)
    network = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    teacher = Teacher(network)
    x = torch.randn(4, 3)
    before = teacher(x)
    assert not before.requires_grad
    with torch.no_grad():
        network[0].weight.add_(1.0)
    assert_close(teacher(x), before)
    assert network.training


def make(treebank: Any, task: str, **config: Any) -> Any:
    """A task of a small network without dropout."""
    given: dict[str, Any] = {"hidden": 8, "dropout": 0.0, "word_dropout": 0.0, "k": 3} | config
    if task == "tagger":
        return TaggerTask(treebank, [], Settings.of(task, batch_size=3, **given), CPU)
    return ParserTask(treebank, [], Settings.of("parser", batch_size=16, seed=1, **given), CPU)


@pytest.mark.parametrize("synthetic", [False, True])
@pytest.mark.parametrize("task", ["tagger", "parser"])
def test_cut_network_learns_from_the_whole_one(
    treebank: Any, monkeypatch: pytest.MonkeyPatch, task: str, synthetic: bool
) -> None:
    torch.manual_seed(3)
    made = make(treebank, task)
    monkeypatch.setattr(type(made), "synthetic", float(synthetic))
    teacher = Teacher(made.network)
    layers = made.simplified_layers()
    Simplifier(layers).step(widths={part.name: 4 for part in layers})
    batch = next(made.batches(np.random.default_rng(1)))
    optimizer = make_optimizer("adam", made.network.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        torch.manual_seed(5)  # the same words are swapped each time
        loss = made.loss(batch, teacher)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]
    if synthetic:  # the labels do not count: they may be others
        torch.manual_seed(5)
        last = made.loss(batch, teacher).item()
        if task == "tagger":
            for target in made._targets.values():
                target.zero_()
        else:  # a target that is always legal would be hard to name; a wrong one is enough
            targets = made._examples.targets
            targets.copy_(targets.roll(1))
        torch.manual_seed(5)
        assert made.loss(batch, teacher).item() == last


@pytest.mark.parametrize("synthetic", [False, True])
@pytest.mark.parametrize("task", ["tagger", "parser", "dynamic"])
def test_remembered_answers_are_those_the_teacher_would_give(
    treebank: Any, monkeypatch: pytest.MonkeyPatch, task: str, synthetic: bool
) -> None:
    torch.manual_seed(4)
    dynamic = {"transition_system": "arc-hybrid", "oracle": "dynamic"} if task == "dynamic" else {}
    made = make(treebank, task, **dynamic)
    monkeypatch.setattr(type(made), "synthetic", float(synthetic))
    for parameter in made.network.parameters():
        parameter.data.mul_(20)  # answers of some size
    teacher, asking = Teacher(made.network), Teacher(made.network)
    monkeypatch.setattr(asking, "remembers", lambda *sizes: False)
    asked: list[int] = []
    teacher.network.register_forward_hook(lambda *call: asked.append(1))
    layers = made.simplified_layers()
    Simplifier(layers).step(widths={part.name: 4 for part in layers})
    for epoch in range(3):
        made.begin_epoch(epoch)
        n, before = 0, len(asked)
        for batch in made.batches(np.random.default_rng(epoch)):
            losses = []
            for one in (teacher, asking):
                torch.manual_seed(6)  # the same words are swapped
                losses.append(made.loss(batch, one))
            assert_close(*losses, rtol=2e-3, atol=1e-4)
            n += 1
        # at once about everything, unless the examples change
        each = task == "dynamic" or synthetic or epoch == 0
        assert len(asked) - before == (n if each else 0)


def test_nothing_is_remembered_that_does_not_fit() -> None:
    teacher = Teacher(nn.Linear(1, 1))
    n = module.MOST_REMEMBERED // 100
    assert teacher.remembers({"a": 40, "b": 60}, n)
    assert not teacher.remembers({"a": 40, "b": 60}, n + 1)
    ragged = np.array([60] * (n - 1) + [60 + module.MOST_REMEMBERED % 100])
    assert teacher.remembers({"a": 40, "b": ragged}, n)
    ragged[0] += 41
    assert not teacher.remembers({"a": 40, "b": ragged}, n)


def test_answers_beyond_float16_stay_finite_and_in_place() -> None:
    teacher = Teacher(nn.Linear(1, 1))
    parts = [
        (torch.tensor([2, 0]), {"a": torch.tensor([[1e9, -1e9], [1.0, 2.0]])}),
        (torch.tensor([1]), {"a": torch.tensor([[3.0, 4.0]])}),
    ]
    widths = {"a": 2}
    found = teacher.recall(torch.tensor([0, 1, 2, 1]), parts, widths, 3)["a"]
    assert found.dtype == torch.float32
    assert_close(found[[0, 1, 3]], torch.tensor([[1.0, 2.0], [3.0, 4.0], [3.0, 4.0]]))
    assert_close(found[2], torch.tensor([65504.0, -65504.0]))
    # nobody is asked again
    again = teacher.recall(torch.tensor([0]), iter(()), widths, 3)["a"]
    assert_close(again, torch.tensor([[1.0, 2.0]]))


def test_answers_of_several_widths_come_back_padded_with_what_is_left_out() -> None:
    inf = torch.inf
    teacher = Teacher(nn.Linear(1, 1))
    parts = [
        (
            torch.tensor([3, 0]),
            {"arcs": torch.tensor([[1.0, -inf, 1e9], [2.0, -inf, -inf]]), "tags": torch.eye(2)},
        ),
        (torch.tensor([1, 2]), {"arcs": torch.tensor([[3.0], [4.0]]), "tags": torch.ones(2, 2)}),
    ]
    widths = {"arcs": np.array([2, 1, 1, 3]), "tags": 2}
    found = teacher.recall(torch.tensor([2, 3, 0]), parts, widths, 4)
    expected = torch.tensor([[4.0, -inf, -inf], [1.0, -inf, 65504.0], [2.0, -inf, -inf]])
    assert_close(found["arcs"], expected)
    assert_close(found["tags"], torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    # as wide as the widest of those that are wanted
    assert_close(
        teacher.recall(torch.tensor([1, 2]), (), widths, 4)["arcs"], torch.tensor([[3.0], [4.0]])
    )


@pytest.mark.parametrize("is_taught", [True, False])
def test_what_is_taught_has_a_third_of_the_dropout(treebank: Any, is_taught: bool) -> None:
    settings = Settings.of("parser", hidden=8, k=3, batch_size=40, seed=1)
    made = ParserTask(treebank, [], settings, CPU)
    config = SimplifyConfig(keep=0.5, first_cut_epoch=1, min_neurons=2, own_teacher=is_taught)
    trainer = Trainer(
        made, training=TrainingConfig(epochs=2, patience=0, device="cpu"), simplify=config
    )
    for record in trainer.run():
        if isinstance(record, EpochRecord) and record.epoch == 1:
            assert made.network.dropout_share == 1
    assert made.network.dropout_share == (1 / 3 if is_taught else 1)
    simplification = trainer.simplification
    assert simplification is not None
    if is_taught:
        assert simplification.teacher is not None
        assert simplification.teacher.network.dropout_share == 1
