"""By what neurons are chosen."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils import prune
from torch.testing import assert_close

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.criteria import scores_by
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM


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
    with pytest.raises(ConfigError, match="criterion is 'luck', expected hits"):
        scores_by("luck", MePropLinear(3, 4))
