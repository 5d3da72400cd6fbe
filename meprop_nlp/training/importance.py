"""What the loss would lose with each neuron: a criterion of the late cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence
from torch.utils.hooks import RemovableHandle

from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.task import Task

__all__ = ["derive", "taylor_scores"]

N_BATCHES = 60
SEED = 5  # of the order in which minibatches are looked at: the same for every cut


def taylor_scores(task: Task, layers: Sequence[SimplifiedLayer]) -> dict[str, Tensor]:
    """Return how much the loss hangs on each neuron, by layer name; (H,) float64 each.

    The sum over examples of |a dL/da| for a neuron's value a, to first order what the loss changes
    by when it is set to zero (Molchanov et al. 2017). Looked at as `derive` says.
    """
    scores = {
        part.name: torch.zeros(part.layer.hits.shape[0], dtype=torch.float64) for part in layers
    }
    handles = []
    for part in layers:
        reader, offset = part.consumers[0].module, part.consumers[0].offset
        handles.append(reader.register_forward_pre_hook(_watch(scores[part.name], offset)))
    derive(task, handles)
    return scores


def derive(task: Task, handles: Sequence[RemovableHandle]) -> None:
    """Run some minibatches forward and backward for hooks that look on.

    At most 60 minibatches of the training data; without dropout, but for word dropout, which is of
    the data; and by meProp's backward pass, so that dL/da is what training sees of it.

    Args:
        handles: of the hooks; they are removed. No gradients are left.
    """
    was_training = task.network.training
    task.network.eval()
    try:
        for batch in islice(task.batches(np.random.default_rng(SEED)), N_BATCHES):
            task.loss(batch).backward()  # type: ignore[no-untyped-call]
            task.network.zero_grad(set_to_none=True)
    finally:
        for handle in handles:
            handle.remove()
        task.network.train(was_training)


def _watch(total: Tensor, offset: int) -> Any:
    """Return a hook of a layer that adds up |a dL/da| of the inputs from `offset` on."""

    def look(module: Any, inputs: tuple[Any, ...]) -> None:
        read = inputs[0].data if isinstance(inputs[0], PackedSequence) else inputs[0]
        values = read.detach()

        def add(gradient: Tensor) -> None:
            terms = (values * gradient)[..., offset : offset + len(total)].abs()
            total.add_(terms.reshape(-1, len(total)).sum(dim=0).double().cpu())

        # several layers may read one tensor; its gradient comes once, as the sum
        read.register_hook(add)

    return look
