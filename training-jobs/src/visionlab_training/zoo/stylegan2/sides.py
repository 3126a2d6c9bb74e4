"""How wide the networks are, and how precise, at each side of a feature map."""

from __future__ import annotations

LOW_PRECISION_SIDES = 4
"""How many of the largest sides are computed in low precision (Karras et al., 2020, arXiv:2006.06676, appendix D)."""


def sides(side: int) -> list[int]:
    """4, 8, ... up to the side of the picture."""
    return [2**power for power in range(2, side.bit_length())]


def channels(side: int, base: int, most: int) -> dict[int, int]:
    """Channels of the feature maps by their side."""
    return {at: min(base // at, most) for at in sides(side)}


def precision_at(at: int, side: int, precision: str) -> str:
    """The dtype of the convolutions at a side."""
    return precision if at in sides(side)[-LOW_PRECISION_SIDES:] else "float32"
