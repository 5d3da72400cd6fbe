"""How much the loss depends on each neuron: a criterion of the late cut."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence
from torch.utils.hooks import RemovableHandle

from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.task import Task

N_BATCHES = 60
SEED = 5  # of the order of the minibatches, so that every cut sees the same ones


def taylor_scores(task: Task, layers: Sequence[SimplifiedLayer]) -> dict[str, Tensor]:
    """Return how much the loss depends on each neuron, by layer name: (H,) float64 each.

    This is the sum over examples of |a dL/da| for a neuron's value a: to first order the change of
    the loss when the neuron is set to zero (Molchanov et al. 2017). The examples are those of
    `observe_gradients`.
    """
    scores = {
        part.name: torch.zeros(part.layer.hits.shape[0], dtype=torch.float64) for part in layers
    }
    handles = []
    for part in layers:
        total = scores[part.name]
        if isinstance(part.layer, MePropLSTM):
            # no activation follows, and its readers may each read a part of a wider tensor
            handles.append(part.layer.register_forward_hook(_output_observer(total)))
        elif not part.consumers:
            # what is multiplied by a ReLU's slope on the way has the same product with its gradient
            handles.append(part.layer.register_forward_hook(_linear_observer(total)))
        else:
            reader, offset = part.consumers[0].module, part.consumers[0].offset
            handles.append(reader.register_forward_pre_hook(_input_observer(total, offset)))
    observe_gradients(task, handles)
    return scores


def observe_gradients(task: Task, handles: Sequence[RemovableHandle]) -> None:
    """Run at most 60 minibatches of the training data forward and backward, for hooks to observe.

    Dropout is off, except word dropout, which belongs to the data. The backward pass is meProp's,
    so that dL/da is what training sees of it. Afterwards no parameter has a gradient.

    Args:
        handles: of the hooks, which are removed afterwards.
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


def _output_observer(total: Tensor) -> Any:
    """Return a forward hook that adds |a dL/da| of an LSTM's outputs to `total`."""
    return lambda module, inputs, output: _observe(output[0], total, 0)


def _linear_observer(total: Tensor) -> Any:
    """Return a forward hook that adds |a dL/da| of a linear layer's outputs to `total`."""
    return lambda module, inputs, output: _observe(output, total, 0)


def _input_observer(total: Tensor, offset: int) -> Any:
    """Return a forward hook that adds |a dL/da| of a layer's inputs from `offset` on to `total`."""
    return lambda module, inputs: _observe(inputs[0], total, offset)


def _observe(read: Tensor | PackedSequence, total: Tensor, offset: int) -> None:
    tensor = read.data if isinstance(read, PackedSequence) else read
    values = tensor.detach()

    def add(gradient: Tensor) -> None:
        terms = (values * gradient)[..., offset : offset + len(total)].abs()
        total.add_(terms.reshape(-1, len(total)).sum(dim=0).double().cpu())

    # where several layers read one tensor, its gradient is their sum and comes once
    tensor.register_hook(add)  # type: ignore[no-untyped-call]
