"""`Ranks`: the processes that train one network together, as one of them sees the others.

`torchrun` starts them. Each computes the gradients of its part of a minibatch; these are summed, so
that all make the same step, and the weights stay the same everywhere. Nothing is pickled: what is
sent are tensors, and JSON as bytes.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor, nn

from meprop_nlp.errors import ConfigError, MePropError
from meprop_nlp.nn.row_gradient import in_row_order
from meprop_nlp.training.distribution.environment import is_one_of_several, number_in

# How long a process waits for the others, which may read files or score dev meanwhile. Where one
# of them ends with an error, torchrun ends the others at once.
PATIENCE = timedelta(hours=12)


_LOST = re.compile(r"Connection (closed|reset)|remote process|Broken pipe")


class Ranks:
    """The processes of a training; with one, nothing is sent.

    Attributes:
        number: of this process, from 0.
        size: how many there are.
        device: where tensors are that are sent.
    """

    def __init__(self, number: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        self.number, self.size = number, size
        self.device = device or torch.device("cpu")

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files, scores and reports."""
        return self.number == 0

    @property
    def are_several(self) -> bool:
        """Whether there are other processes."""
        return self.size > 1

    def seed(self, *numbers: int) -> None:
        """Seed torch's random numbers alike in all processes, for what these numbers stand for.

        Drawn from one stream, decisions would differ as soon as parts of minibatches do.
        """
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1))

    def any(self, holds: bool) -> bool:
        """Return whether it holds in one of the processes."""
        if not self.are_several:
            return holds
        flag = torch.tensor([holds], dtype=torch.int32, device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def total(self, value: float) -> float:
        """Return the sum over the processes."""
        numbers = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.all_reduce(numbers)
        return float(numbers.item())

    def agreed(self, value: Any) -> Any:
        """Return the value of the first process, which JSON can store; others may give None."""
        data = json.dumps(value).encode() if self.is_first else b""
        length = torch.tensor([len(data)], dtype=torch.int64, device=self.device)
        dist.broadcast(length, 0)
        return json.loads(self.sent(data, int(length.item())))

    def sent(self, data: bytes, n_bytes: int) -> bytes:
        """Return the bytes of the first process, of which all know the number."""
        buffer = torch.zeros(max(1, n_bytes), dtype=torch.uint8, device=self.device)
        if self.is_first and n_bytes:
            buffer.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        dist.broadcast(buffer, 0)
        return buffer[:n_bytes].cpu().numpy().tobytes()

    def gathered(self, value: Any) -> list[Any]:
        """Return the values of all processes, which JSON can store, in order."""
        data = json.dumps(value).encode()
        lengths = self._all([len(data)])[:, 0].tolist()
        buffer = torch.zeros(max(lengths), dtype=torch.uint8, device=self.device)
        buffer[: len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        texts = [torch.empty_like(buffer) for _ in lengths]
        dist.all_gather(texts, buffer)
        return [
            json.loads(text[:length].cpu().numpy().tobytes())
            for text, length in zip(texts, lengths, strict=True)
        ]

    def demand_alike(self, network: nn.Module) -> None:
        """Raise MePropError unless the weights are the same, bit by bit, in all processes."""
        sum_of = 0
        for parameter in network.parameters():
            data = parameter.detach().cpu().contiguous().view(torch.uint8)
            sum_of = zlib.crc32(data.numpy().data, sum_of)
        if len(set(self._all([sum_of])[:, 0].tolist())) > 1:
            raise MePropError(
                "the processes of this training have different weights, which should never be; "
                "are they of one version, with the same kind of CPU or GPU?"
            )

    def sum_counts(self, counts: Sequence[Tensor], before: Sequence[Tensor]) -> None:
        """Add what all processes counted since `before` to counts that were alike, in place."""
        flat = torch.cat([(c - b).reshape(-1) for c, b in zip(counts, before, strict=True)])
        flat = flat.to(self.device)
        dist.all_reduce(flat)
        parts = torch.split(flat, [count.numel() for count in counts])
        for count, was, part in zip(counts, before, parts, strict=True):
            count.copy_(was + part.view_as(count).to(count.device))

    def sum_gradients(self, parameters: Iterable[Tensor], weight: float) -> None:
        """Make each gradient the sum over the processes, each times its own weight.

        A gradient that stores rows stays one: it then stores the rows of all processes. The sums
        are the same, bit by bit, everywhere.
        """
        given = list(parameters)
        for parameter in given:
            if parameter.grad is not None:
                parameter.grad = in_row_order(parameter.grad)
                sparse = parameter.grad.is_sparse
                (parameter.grad._values() if sparse else parameter.grad).mul_(weight)
        # 0: no process has a gradient, 1: all that there are store rows, 2: some do not
        kinds = torch.tensor(
            [0 if p.grad is None else 1 if p.grad.is_sparse else 2 for p in given],
            dtype=torch.int32,
            device=self.device,
        )
        dist.all_reduce(kinds, dist.ReduceOp.MAX)
        by_kind: list[list[Tensor]] = [[], [], []]
        for parameter, kind in zip(given, kinds.tolist(), strict=True):
            by_kind[kind].append(parameter)
        if by_kind[1]:
            self._sum_rows(by_kind[1])
        if by_kind[2]:
            _sum_dense(by_kind[2])

    def _sum_rows(self, parameters: Sequence[Tensor]) -> None:
        rows, values = [], []
        for parameter in parameters:
            if parameter.grad is None:
                rows.append(torch.empty(0, dtype=torch.int64, device=parameter.device))
                values.append(parameter.new_empty((0, *parameter.shape[1:])))
            else:
                rows.append(parameter.grad._indices()[0])
                values.append(parameter.grad._values())
        n_rows = self._all([len(each) for each in rows])  # (ranks, parameters)
        widths = [int(np.prod(parameter.shape[1:])) for parameter in parameters]
        n_values = n_rows * np.array(widths)
        all_rows = self._padded(torch.cat(rows), int(n_rows.sum(1).max()))
        all_values = self._padded(
            torch.cat([each.reshape(-1) for each in values]), int(n_values.sum(1).max())
        )
        parts = [
            (
                torch.split(theirs, [*n, len(theirs) - sum(n)]),
                torch.split(numbers, [*m, len(numbers) - sum(m)]),
            )
            for theirs, n, numbers, m in zip(
                all_rows, n_rows.tolist(), all_values, n_values.tolist(), strict=True
            )
        ]
        for i, parameter in enumerate(parameters):
            shape = (-1, *parameter.shape[1:])
            parameter.grad = torch.sparse_coo_tensor(
                torch.cat([theirs[i] for theirs, _ in parts]).unsqueeze(0),
                torch.cat([numbers[i].view(shape) for _, numbers in parts]),
                parameter.shape,
                check_invariants=False,
            ).coalesce()

    def _padded(self, values: Tensor, n: int) -> list[Tensor]:
        """Return the values of all processes, each filled up to `n`."""
        own = torch.zeros(n, dtype=values.dtype, device=values.device)
        own[: len(values)] = values
        found = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(found, own)
        return found

    def _all(self, numbers: Sequence[int]) -> npt.NDArray[np.int64]:
        """Return the numbers of all processes: (ranks, numbers)."""
        own = torch.tensor(numbers, dtype=torch.int64, device=self.device)
        found = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(found, own)
        return torch.stack(found).cpu().numpy()


ALONE = Ranks()


def _sum_dense(parameters: Sequence[Tensor]) -> None:
    gradients = []
    for parameter in parameters:
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        gradients.append((gradient.to_dense() if gradient.is_sparse else gradient).reshape(-1))
    flat = torch.cat(gradients)
    dist.all_reduce(flat)
    for parameter, part in zip(parameters, torch.split(flat, [*map(len, gradients)]), strict=True):
        parameter.grad = part.view_as(parameter)


@contextmanager
def joined(device: str, environment: Mapping[str, str] = os.environ) -> Iterator[Ranks]:
    """Within the block, train together with the processes that `torchrun` started with this one.

    Without torchrun, or where it started this process alone, this process is alone.

    Args:
        device: the setting of this name.

    Raises:
        ConfigError: it names one GPU for all processes, there are more of them here than GPUs, or
            what torchrun sets in the environment is no number.
        MePropError: one of the others has ended.
    """
    if not is_one_of_several(environment):
        yield ALONE
        return
    on_gpu = device not in ("cpu", "-1") and torch.cuda.is_available()
    place = torch.device("cpu")
    if on_gpu:
        if device not in ("auto", "cuda"):
            raise ConfigError(
                f"`device` is {device}, one GPU for all processes; with torchrun give auto or cuda"
            )
        local = number_in(environment, "LOCAL_RANK", 0)
        if local >= torch.cuda.device_count():
            raise ConfigError(
                f"torchrun started more processes than the {torch.cuda.device_count()} GPUs here; "
                "start fewer, or give `device` cpu"
            )
        torch.cuda.set_device(local)
        place = torch.device("cuda", local)
    begins = not dist.is_initialized()
    if begins:
        dist.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), place)
    except RuntimeError as error:
        if not _LOST.search(str(error)):
            raise
        raise MePropError(
            "another process of this training has ended; its own message says why"
        ) from None
    finally:
        if begins:
            dist.destroy_process_group()
