"""Criteria by which the neurons that stay are chosen."""

import torch
from torch import Tensor

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM


def scores_by(criterion: str, layer: MePropLinear | MePropLSTM) -> Tensor:
    """Return a score for each neuron; the neurons with the highest scores stay.

    "hits" is how often the neuron was in the top k since the counts began (meSimp, section 3).
    "magnitude" is the norm of its incoming weights, by which `torch.nn.utils.prune.ln_structured`
    with n=2 ranks rows (Li et al. 2017); for an LSTM's unit, of all four gates together. "random"
    is drawn from torch's global random numbers.

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
    """Rank neurons by how well few of them reconstruct what the layer's readers receive.

    Neurons are chosen one by one, each time the one that leaves the least of `weights @ a`
    unexplained when it is reconstructed from the values a of the chosen neurons by least squares
    with a constant (orthogonal matching pursuit). One of several neurons with the same information
    is enough, which no score of single neurons can see.

    Args:
        covariance: (H, H) of the neurons' values, float64.
        weights: (C, H) the readers' weights, scaled up for outputs that matter more.

    Returns:
        (H,) float64: H for the neuron that is chosen first, 1 for the last.
    """
    n = len(covariance)
    # the covariance that the chosen neurons do not explain, among neurons and with the outputs
    residual, with_outputs = covariance.clone(), covariance @ weights.T  # (H, H), (H, C)
    least = covariance.diagonal() * 1e-9
    is_candidate = torch.ones(n, dtype=torch.bool)
    scores = torch.zeros(n, dtype=torch.float64)
    for score in range(n, 0, -1):
        variance = residual.diagonal()
        explains = torch.where(variance > least, with_outputs.square().sum(dim=1) / variance, 0.0)
        chosen = int(torch.where(is_candidate, explains, -1.0).argmax())
        scores[chosen], is_candidate[chosen] = score, False
        if variance[chosen] > least[chosen]:
            coefficients = residual[chosen] / variance[chosen]
            with_outputs.addr_(coefficients, with_outputs[chosen].clone(), alpha=-1)
            residual.addr_(coefficients, residual[chosen].clone(), alpha=-1)
    return scores
