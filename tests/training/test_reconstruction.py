"""From which neurons all that a layer says can be made up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.criteria import by_reconstruction
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.simplification import reconstruction
from meprop_nlp.training.simplification.reconstruction import reconstruction_scores


def test_an_error_counts_by_the_curvature_of_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    hidden, heads = MePropLinear(3, 6), [nn.Linear(9, 4), nn.Linear(9, 2)]
    network = nn.ModuleList([hidden, *heads]).train()
    batches = [(torch.randn(n, 3), torch.randn(n, 3), torch.arange(n) % 2) for n in (50, 30)]
    dropout = nn.Dropout(0.5)
    network.append(dropout)

    def losses(x: torch.Tensor, other: torch.Tensor, target: torch.Tensor) -> Any:
        read = dropout(torch.cat([other, torch.tanh(hidden(x))], 1))
        outputs = [head(read) for head in heads]
        each = sum(nn.functional.cross_entropy(z, target, reduction="none") for z in outputs)
        return read, outputs, each

    task: Any = SimpleNamespace(
        network=network,
        batches=lambda rng: iter(batches),
        loss=lambda batch: losses(*batch)[2].mean(),
    )
    layer = SimplifiedLayer("hidden", hidden, [Consumer(head, offset=3) for head in heads])
    asked: list[torch.Tensor] = []
    monkeypatch.setattr(
        reconstruction,
        "by_reconstruction",
        lambda *arguments: asked.extend(arguments) or by_reconstruction(*arguments),
    )
    found = reconstruction_scores(task, [layer])["hidden"]
    assert network.training
    assert all(p.grad is None for p in network.parameters())
    assert not any(head._forward_hooks for head in heads)

    network.eval()  # by hand, one example at a time
    values, gradients = [], []
    for batch in batches:
        for row in zip(*batch, strict=True):
            read, outputs, loss = losses(*(part[None] for part in row))
            values.append(read[0, 3:].detach().double().numpy())
            gradients.append([g[0].double().numpy() for g in torch.autograd.grad(loss, outputs)])
    covariance, weights = asked
    assert_allclose(covariance.numpy(), np.cov(np.array(values).T, bias=True), rtol=1e-4, atol=1e-6)
    expected = [
        np.sqrt(np.mean(np.square(each), axis=0))[:, None] * head.weight.detach().numpy()[:, 3:]
        for head, each in zip(heads, zip(*gradients, strict=True), strict=True)
    ]
    assert_allclose(weights.numpy(), np.concatenate(expected), rtol=1e-4, atol=1e-6)
    assert found.tolist() == by_reconstruction(covariance, weights).tolist()


def test_copy_of_a_neuron_comes_last(narrow_task: Any) -> None:
    layers = narrow_task.simplified_layers()
    for part in layers:
        for parameter in part.layer.parameters():
            gates = parameter.data.view(-1, 6, *parameter.shape[1:])  # an LSTM's unit has four
            gates[:, 4] = gates[:, 1]
    scores = reconstruction_scores(narrow_task, layers)
    assert set(scores) == {part.name for part in layers}
    for part in layers:
        found = scores[part.name].tolist()
        assert sorted(found) == [1, 2, 3, 4, 5, 6]
        assert min(found[1], found[4]) == 1
