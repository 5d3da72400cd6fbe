"""What the loss would lose with each neuron."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.testing import assert_close

from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.simplification.importance import taylor_scores


def test_scores_are_value_times_gradient_summed_over_examples() -> None:
    torch.manual_seed(1)
    hidden, out = MePropLinear(3, 6), nn.Linear(6, 2)
    network = nn.Sequential(hidden, nn.Tanh(), nn.Dropout(0.5), out)
    batches = [torch.randn(5, 3), torch.randn(2, 3)]
    task: Any = SimpleNamespace(
        network=network.train(),
        batches=lambda rng: iter(batches),
        loss=lambda x: network(x).square().sum(),
    )
    expected = torch.zeros(6)
    for x in batches:
        for row in x:  # by hand, one example at a time
            a = torch.tanh(hidden(row)).detach().requires_grad_()
            out(a).square().sum().backward()
            assert a.grad is not None
            expected += (a * a.grad).detach().abs()
    network.zero_grad(set_to_none=True)
    scores = taylor_scores(task, [SimplifiedLayer("hidden", hidden, [Consumer(out)])])
    assert_close(scores["hidden"].float(), expected)
    assert network.training
    assert all(p.grad is None for p in network.parameters())
    assert not out._forward_pre_hooks


def test_neuron_that_nobody_reads_has_no_score(narrow_task: Any) -> None:
    layers = narrow_task.simplified_layers()
    for part in layers:
        for consumer in part.consumers:
            consumer.module.weight.data[:, consumer.offset + 4] = 0
    scores = taylor_scores(narrow_task, layers)
    assert set(scores) == {part.name for part in layers}
    for part in layers:
        unread = np.flatnonzero(scores[part.name].numpy() == 0).tolist()
        # the tagger's units are read by their own direction too, which a cut takes along
        assert unread == [4]
