"""The distinct values among small whole numbers."""

import torch
from torch import Tensor


def distinct(numbers: Tensor, upper: int) -> tuple[Tensor, Tensor]:
    """Find the distinct values among int32 `numbers`, each from 0 up to, not including, `upper`.

    Returns:
        values: int32, increasing.
        places: int32, of the shape of `numbers`: numbers == values[places].
    """
    flat = numbers.reshape(-1).long()
    is_present = torch.zeros(upper, dtype=torch.bool, device=flat.device)
    is_present[flat] = True
    place = is_present.cumsum(dim=0, dtype=torch.int32) - 1
    return is_present.nonzero().squeeze(1).int(), place[flat].view(numbers.shape)
