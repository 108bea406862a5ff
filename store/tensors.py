"""Arrays as bytes, and back: the form of stored weights and checkpoints."""

import numpy as np
from safetensors.numpy import load, save


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as safetensors: the same arrays are always the same bytes."""
    return save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)})


def unpack(content: bytes) -> dict[str, np.ndarray]:
    """The arrays that `pack` was given."""
    return dict(load(content))
