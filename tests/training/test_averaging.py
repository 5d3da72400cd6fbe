"""The running average of the weights: what it is, and that the network's own weights come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.testing import assert_close

from meprop_nlp.errors import CheckpointError
from meprop_nlp.training.averaging import ALL_BEFORE, EVERY, WeightAverage


def make_network(seed: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2, bias=False))


def move(network: nn.Module, seed: int) -> None:
    """Change the weights, as an update does."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += torch.randn(parameter.shape, generator=generator)


def bits(network: nn.Module) -> list[list[int]]:
    return [p.detach().view(torch.int32).flatten().tolist() for p in network.parameters()]


@given(st.integers(0, 30), st.floats(0, 1, exclude_max=True))
def test_average_is_the_naive_one(n_updates: int, decay: float) -> None:
    network = make_network()
    average = WeightAverage(network, decay)
    expected = {name: p.detach().double() for name, p in network.named_parameters()}
    for n in range(n_updates):
        move(network, n)
        average.update()
        stays = min(decay, (1 + n) / (10 + n))
        for name, parameter in network.named_parameters():
            expected[name] = stays * expected[name] + (1 - stays) * parameter.detach().double()
    assert average.n_updates == n_updates
    assert average.tensors.keys() == expected.keys()
    for name, tensor in average.tensors.items():
        assert_close(tensor.double(), expected[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("decay", [0.9, 0.999])
def test_later_only_each_fourth_update_is_averaged_with_the_share_of_four(decay: float) -> None:
    network = make_network()
    average = WeightAverage(network, decay)
    start = {name: tensor.clone() for name, tensor in average.tensors.items()}
    average.load(start, ALL_BEFORE)
    expected = {name: tensor.double() for name, tensor in start.items()}
    for n in range(1, 3 * EVERY):
        move(network, n)
        average.update()
        if n % EVERY == 0:
            stays = min(decay, (ALL_BEFORE + n) / (ALL_BEFORE + n + 9)) ** EVERY
            for name, parameter in network.named_parameters():
                expected[name] = stays * expected[name] + (1 - stays) * parameter.detach().double()
    assert average.n_updates == ALL_BEFORE + 3 * EVERY - 1
    for name, tensor in average.tensors.items():
        assert_close(tensor.double(), expected[name], rtol=1e-5, atol=1e-5)


def test_network_has_the_average_within_the_block_and_its_own_bits_again_after_it() -> None:
    network = make_network()
    average = WeightAverage(network, 0.9)
    move(network, 1)
    average.update()
    with torch.no_grad():
        network[0].weight[0] = torch.tensor([-0.0, 1e-45, 3e38])  # type: ignore[index]
    before, averaged = bits(network), {n: t.clone() for n, t in average.tensors.items()}
    for error in (None, KeyboardInterrupt):
        try:
            with average.applied():
                for name, parameter in network.named_parameters():
                    assert torch.equal(parameter, averaged[name])
                assert bits(network) != before
                if error:
                    raise error
        except KeyboardInterrupt:
            pass
        assert bits(network) == before
        for name, tensor in average.tensors.items():
            assert torch.equal(tensor, averaged[name])
    assert average.n_updates == 1


def test_network_that_takes_the_average_starts_a_new_one() -> None:
    network = make_network()
    average = WeightAverage(network, 0.9)
    for n in range(5):
        move(network, n)
        average.update()
    averaged = {name: tensor.clone() for name, tensor in average.tensors.items()}
    average.take()
    assert average.n_updates == 0
    for name, parameter in network.named_parameters():
        assert torch.equal(parameter, averaged[name])
        assert torch.equal(average.tensors[name], averaged[name])
    move(network, 9)  # the average is a copy
    assert torch.equal(average.tensors["0.weight"], averaged["0.weight"])


def test_average_that_is_loaded_goes_on_as_if_never_stored() -> None:
    networks = [make_network(), make_network(seed=2)]
    first, second = (WeightAverage(network, 0.9) for network in networks)
    for n in range(4):
        move(networks[0], n)
        first.update()
    stored = {name: tensor.clone() for name, tensor in first.tensors.items()}
    second.load(stored, 4)
    networks[1].load_state_dict(networks[0].state_dict())
    for network, average in zip(networks, (first, second), strict=True):
        move(network, 5)
        average.update()
    assert first.n_updates == second.n_updates == 5
    for name, tensor in first.tensors.items():
        assert torch.equal(tensor, second.tensors[name])
    assert stored["0.weight"].data_ptr() != second.tensors["0.weight"].data_ptr()


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: {},
        lambda tensors: tensors | {"2.weight": torch.zeros(2)},
        lambda tensors: tensors | {"0.bias": torch.zeros(3)},
        lambda tensors: {n: t for n, t in tensors.items() if n != "0.bias"},
    ],
    ids=["nothing", "more", "other-shape", "one-missing"],
)
def test_average_of_other_weights_is_refused(
    change: Callable[[dict[str, Tensor]], dict[str, Tensor]],
) -> None:
    network = make_network()
    average = WeightAverage(network, 0.9)
    before = {name: tensor.clone() for name, tensor in average.tensors.items()}
    with pytest.raises(CheckpointError, match="stored average of the weights does not fit"):
        average.load(change(dict(before)), 3)
    assert average.n_updates == 0
    for name, tensor in average.tensors.items():
        assert torch.equal(tensor, before[name])
