"""The gold classes of words, of which some may be unknown, and the loss that leaves these out."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from meprop_nlp.training.simplification.teacher import distilled

UNKNOWN = -100  # the class of a word without annotation; cross_entropy leaves it out


def targets_of(classes: Iterable[int], known: npt.NDArray[np.bool_]) -> Tensor:
    """Return the class of each word, UNKNOWN where it is not annotated: (words,) int64.

    Args:
        classes: of the annotated words, in order.
        known: (words,) which words are annotated.
    """
    targets = torch.full((len(known),), UNKNOWN, dtype=torch.int64)
    targets[torch.from_numpy(known)] = torch.tensor(list(classes), dtype=torch.int64)
    return targets


def mean_loss(
    logits: Tensor,
    targets: Tensor | None,
    answers: Tensor | None = None,
    *,
    partial: bool,
    smoothing: float = 0.0,
) -> Tensor:
    """Return the mean loss of the words that are annotated; 0 if none is: ().

    With a teacher, the mean is over all words: those without annotation learn from it alone.

    Args:
        logits: (N, C) -inf for classes that are left out.
        targets: (N,) the class of each word; None: no word has one, the teacher alone counts.
        answers: (N, C) the teacher's logits, if there is one.
        partial: whether a target may be UNKNOWN. If not, fewer operations are needed.
        smoothing: of the targets.
    """
    if targets is None:
        nothing = logits.new_zeros(())
        if answers is None:
            return nothing
        return distilled(nothing, logits, answers, synthetic=True)
    if not partial:
        loss = F.cross_entropy(logits, targets, label_smoothing=smoothing)
        if answers is None:
            return loss
        return distilled(loss, logits, answers, synthetic=False)
    known = targets != UNKNOWN
    loss = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="sum")
    loss = loss / known.sum().clamp(min=1)  # the mean of no words would not be a number
    if answers is None:
        return loss
    return distilled(loss, logits, answers, synthetic=False, known=known)
