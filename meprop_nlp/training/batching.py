"""How training examples become minibatches."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch


def fitting_batch_size(n_examples: int, *, smallest: int, largest: int, n_batches: int) -> int:
    """Return the batch size that gives an epoch about `n_batches` steps, within bounds.

    A small treebank needs small batches: with few steps an epoch, a network learns nothing in ten
    epochs.
    """
    return max(smallest, min(largest, n_examples // n_batches))


def by_length(
    lengths: npt.NDArray[np.int64], batch_size: int, rng: np.random.Generator, *, pool: int = 20
) -> list[npt.NDArray[np.int64]]:
    """Shuffle sentences into batches of similar length, each sorted longest first.

    The sentences are shuffled and cut into pools of `pool` batches; each pool is sorted by length
    and cut into batches; then the batches are shuffled.
    """
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), batch_size * pool):
        members = order[start : start + batch_size * pool]
        members = members[np.argsort(-lengths[members], kind="stable")]
        batches += [members[i : i + batch_size] for i in range(0, len(members), batch_size)]
    rng.shuffle(batches)
    return batches


def packed_rows(
    firsts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of sequences in packed order: all first rows, then all second ones, ...

    Args:
        firsts: (B,) the first row of each sequence; its others follow.
        lengths: (B,) the number of its rows, in descending order.

    Returns:
        rows: (N,) in packed order.
        batch_sizes: (longest,) how many sequences have a row at each step.
    """
    steps = np.concatenate([np.arange(length) for length in lengths])
    sequences = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((sequences, steps))
    return (firsts[sequences] + steps)[order], np.bincount(steps)


def packed_share(
    batch_sizes: npt.NDArray[np.int64], number: int, size: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return the part of packed sequences that one of several processes takes.

    Each takes every `size`-th sequence, so that all have long and short ones.

    Args:
        batch_sizes: (longest,) how many sequences have a row at each step.
        number: of the process.

    Returns:
        taken: (N,) which rows it takes.
        batch_sizes: of these.
    """
    steps = np.repeat(np.arange(len(batch_sizes)), batch_sizes)
    sequences = np.concatenate([np.arange(n) for n in batch_sizes])
    taken = sequences % size == number
    return taken, np.bincount(steps[taken])


def share_of(batch: Any, number: int, size: int, *rows: str) -> tuple[Any, float]:
    """Return the part of a minibatch that one of several processes takes, as `Task.share` does.

    Args:
        batch: a dataclass of packed sentences, with `batch_sizes` and `n_words`.
        number: of the process.
        size: how many there are.
        rows: its fields that have a row for each word.
    """
    taken, batch_sizes = packed_share(batch.batch_sizes.numpy(), number, size)
    n_words = int(taken.sum())
    if not n_words:
        return None, 0.0
    fields = {name: getattr(batch, name)[taken] for name in rows}
    part = replace(batch, **fields, batch_sizes=torch.from_numpy(batch_sizes), n_words=n_words)
    return part, n_words / batch.n_words


def by_words(
    lengths: npt.NDArray[np.int64], n_batches: int, rng: np.random.Generator, *, pool: int = 20
) -> list[npt.NDArray[np.int64]]:
    """Shuffle sentences into batches of similar numbers of words, each sorted longest first.

    As in `by_length`, a batch has sentences of similar length from a pool of `pool` batches. A
    sentence may be too long for `n_batches` batches; there are fewer of them then.
    """
    order = rng.permutation(len(lengths))
    n_pools = -(-n_batches // pool)
    ends = np.cumsum(lengths[order])
    for start, end in pairwise(_cuts(ends, n_pools)):
        members = order[start:end]
        order[start:end] = members[np.argsort(-lengths[members], kind="stable")]
    cuts = _cuts(np.cumsum(lengths[order]), n_batches)
    batches = [order[start:end] for start, end in pairwise(cuts)]
    # a batch may reach from one pool into the next
    batches = [batch[np.argsort(-lengths[batch], kind="stable")] for batch in batches]
    rng.shuffle(batches)
    return batches


def _cuts(ends: npt.NDArray[np.int64], n_parts: int) -> list[int]:
    """Return where to cut sentences into parts of about the same number of words, 0 and all in.

    Args:
        ends: the number of words up to the end of each sentence.
    """
    wanted = np.arange(1, n_parts) * (int(ends[-1]) / n_parts)
    inner = np.searchsorted(ends, wanted, side="left") + 1
    cuts: list[int] = np.unique([0, *np.minimum(inner, len(ends)), len(ends)]).tolist()
    return cuts
