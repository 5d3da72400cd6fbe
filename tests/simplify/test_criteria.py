"""By what neurons are chosen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils import prune
from torch.testing import assert_close

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.simplify.criteria import by_reconstruction, scores_by


def test_hits_are_the_counts():
    layer = MePropLinear(3, 4, k=2)
    layer.hits += torch.tensor([3, 0, 7, 2])
    assert scores_by("hits", layer).tolist() == [3, 0, 7, 2]


def test_magnitude_ranks_rows_as_torch_prunes_them():
    torch.manual_seed(3)
    layer = MePropLinear(7, 10)
    scores = scores_by("magnitude", layer)
    assert_close(scores, layer.weight.detach().norm(dim=1))
    stay = scores.sort(descending=True).indices[:6].sort().values
    prune.ln_structured(layer, "weight", amount=4, n=2, dim=0)
    assert layer.weight_mask.any(dim=1).nonzero().squeeze(1).tolist() == stay.tolist()


def test_magnitude_of_a_unit_is_that_of_its_four_gates():
    layer = MePropLSTM(3, 5)
    expected = torch.stack(
        [
            torch.cat(
                [w.detach().view(4, 5, -1)[:, unit].flatten()
                 for w in (layer.weight_ih_l0, layer.weight_hh_l0)]
            ).norm()
            for unit in range(5)
        ]
    )  # fmt: skip
    assert_close(scores_by("magnitude", layer), expected)


def test_random_follows_the_seed_and_nothing_else():
    layer = MePropLinear(3, 40)
    torch.manual_seed(1)
    first = scores_by("random", layer)
    layer.hits += torch.arange(40)
    torch.manual_seed(1)
    assert scores_by("random", layer).tolist() == first.tolist()
    assert scores_by("random", layer).tolist() != first.tolist()


def test_another_criterion_is_an_error():
    with pytest.raises(ConfigError, match="`criterion` is 'luck', expected hits"):
        scores_by("luck", MePropLinear(3, 4))


def chosen_one_by_one(values, weights):
    """The naive reference: least squares anew for each neuron that might come next."""
    outputs = values @ weights.T
    one = np.ones((len(values), 1))
    order = []
    while len(order) < values.shape[1]:
        left = {}
        for neuron in sorted(set(range(values.shape[1])) - set(order)):
            known = np.hstack([one, values[:, [*order, neuron]]])
            rebuilt = known @ np.linalg.lstsq(known, outputs, rcond=None)[0]
            left[neuron] = np.square(outputs - rebuilt).sum()
        order.append(min(left, key=left.get))
    return order


def reconstruction_order(values, weights):
    covariance = torch.from_numpy(np.atleast_2d(np.cov(values.T, bias=True)))
    scores = by_reconstruction(covariance, torch.from_numpy(weights))
    assert sorted(scores.tolist()) == list(range(1, values.shape[1] + 1))
    return scores.argsort(descending=True).tolist()


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 4))
def test_reconstruction_chooses_as_least_squares_do(seed, n, n_outputs):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((40, n)) @ rng.standard_normal((n, n)) + rng.standard_normal(n)
    weights = rng.standard_normal((n_outputs, n))
    assert reconstruction_order(values, weights) == chosen_one_by_one(values, weights)


def test_of_neurons_that_say_the_same_one_is_enough():
    rng = np.random.default_rng(4)
    values = rng.standard_normal((50, 5))
    values[:, 1] = 3 - 2 * values[:, 0]  # says what neuron 0 says
    values[:, 4] = 7.0  # says nothing
    weights = np.array([[5.0, 5.0, 1.0, 0.5, 9.0]])
    order = reconstruction_order(values, weights)
    # together 0 and 1 give the outputs -5 times neuron 0: more than the others, and either gives it
    assert order[0] in (0, 1)
    assert order[1:3] == [2, 3]
    assert set(order[3:]) == {0, 1, 4} - {order[0]}


def test_reconstruction_of_a_layer_that_nobody_listens_to_goes_by_place():
    scores = by_reconstruction(torch.eye(3, dtype=torch.float64), torch.zeros(2, 3).double())
    assert scores.tolist() == [3, 2, 1]
