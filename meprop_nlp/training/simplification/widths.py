"""The widths of the layers that meSimp may cut, and cutting new layers to stored widths."""

from collections.abc import Mapping, Sequence

import torch

from meprop_nlp.simplify.cut import CutPlan
from meprop_nlp.simplify.simplifier import plan_cut
from meprop_nlp.simplify.wiring import SimplifiedLayer


def widths_of(layers: Sequence[SimplifiedLayer]) -> dict[str, int]:
    """Return the present number of neurons of each layer, by name."""
    return {part.name: part.layer.hits.shape[0] for part in layers}


def shrink(
    layers: Sequence[SimplifiedLayer], widths: Mapping[str, int], *optimizers: torch.optim.Optimizer
) -> None:
    """Cut newly built layers to stored widths; which neurons stay does not matter yet."""
    plan = CutPlan()
    for part in layers:
        plan_cut(plan, part, torch.arange(widths[part.name]))
    plan.apply(*optimizers)
    for part in layers:
        for consumer in part.consumers:
            consumer.offset = plan.moved_offset(consumer)
