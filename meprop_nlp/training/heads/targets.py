"""The gold classes of words, of which some may be unknown, and the loss that leaves these out."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from meprop_nlp.training.simplification.teacher import WEIGHT, distilled, soft_losses

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
    """Return the mean loss of the words of which something is known; 0 if there is none: ().

    With a teacher, gold class and answer count by `WEIGHT` for a word that has both. Where a word
    has one of them, that one counts for all: the class too, if no teacher answered about the word.

    Args:
        logits: (N, C) -inf for classes that are left out.
        targets: (N,) the class of each word; None: no word has one, the teacher alone counts.
        answers: (N, C) the teacher's logits, if there is one; all -inf for a word without answer.
        partial: whether a target may be UNKNOWN. If not, fewer operations are needed.
        smoothing: of the targets.
    """
    if targets is None:
        nothing = logits.new_zeros(())
        if answers is None:
            return nothing
        return distilled(nothing, logits, answers, synthetic=True)
    if answers is None:
        if not partial:
            return F.cross_entropy(logits, targets, label_smoothing=smoothing)
        loss = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="sum")
        # the mean of no words would not be a number
        return loss / (targets != UNKNOWN).sum().clamp(min=1)
    known = targets != UNKNOWN
    answered = ~torch.isneginf(answers).all(dim=1)
    gold = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
    soft = soft_losses(logits, answers)
    # where a word has one of them, the other is 0
    losses = torch.where(known & answered, torch.lerp(gold, soft, WEIGHT), gold + soft)
    return losses.sum() / (known | answered).sum().clamp(min=1)
