"""By what neurons are chosen to stay: the late cut's choice, and what it is compared with."""

from __future__ import annotations

import torch
from torch import Tensor

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM


def scores_by(criterion: str, layer: MePropLinear | MePropLSTM) -> Tensor:
    """One score for each neuron; the higher stay.

    "hits" is how often it was in the top k since the counts began (meSimp, section 3); "magnitude"
    the norm of its incoming weights, as `torch.nn.utils.prune.ln_structured` with n 2 ranks rows
    (Li et al. 2017), for an LSTM's unit those of its four gates together; "random" is drawn from
    torch's global random numbers.

    Returns:
        (H,) on the device of the layer.

    Raises:
        ConfigError: another criterion.
    """
    if criterion not in ("hits", "magnitude", "random"):
        raise ConfigError(f"`criterion` is {criterion!r}, expected hits, magnitude or random")
    hits = layer.hits
    if criterion == "hits":
        return hits
    if criterion == "random":
        return torch.rand(hits.shape[0]).to(hits.device)
    weights: list[Tensor] = (
        [layer.weight_ih_l0, layer.weight_hh_l0]
        if isinstance(layer, MePropLSTM)
        else [layer.weight]
    )
    with torch.no_grad():
        squares = torch.stack([weight.square().sum(dim=1) for weight in weights]).sum(dim=0)
        return squares.view(-1, hits.shape[0]).sum(dim=0).sqrt()


def by_reconstruction(covariance: Tensor, weights: Tensor) -> Tensor:
    """Return how early each neuron is chosen to make up what the whole layer gives its readers.

    One by one, and each time the one that leaves least unexplained of `weights @ a`, which is
    rebuilt from the chosen neurons' values by least squares, with a constant (orthogonal matching
    pursuit). Of neurons that say the same one is enough; no score of single neurons sees that.

    Args:
        covariance: (H, H) of the neurons' values, float64.
        weights: (C, H) the readers' weights, an output that matters more in larger numbers.

    Returns:
        (H,) float64: H for the neuron that is chosen first, 1 for the last.
    """
    n = len(covariance)
    # what is not explained yet: of the neurons by one another, and of the outputs by the neurons
    rest, shared = covariance.clone(), covariance @ weights.T  # (H, H), (H, C)
    least = covariance.diagonal() * 1e-9
    left = torch.ones(n, dtype=torch.bool)
    scores = torch.zeros(n, dtype=torch.float64)
    for score in range(n, 0, -1):
        own = rest.diagonal()
        adds = torch.where(own > least, shared.square().sum(dim=1) / own, 0.0)
        chosen = int(torch.where(left, adds, -1.0).argmax())
        scores[chosen], left[chosen] = score, False
        if own[chosen] > least[chosen]:
            along = rest[chosen] / own[chosen]
            shared.addr_(along, shared[chosen].clone(), alpha=-1)
            rest.addr_(along, rest[chosen].clone(), alpha=-1)
    return scores
