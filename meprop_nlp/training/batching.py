"""How training examples become minibatches."""

import numpy as np
import numpy.typing as npt


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
