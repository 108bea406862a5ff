"""The place of arrays: NumPy on the host, or CuPy on a card. The only file that names cupy."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DeviceUnavailable

Array = NDArray[Any]
"""An array of the namespace in use. CuPy's arrays are typed as NumPy's, whose dialect they speak."""


def _numpy() -> Any:
    return np


def _cupy() -> Any:
    """CuPy, imported only when asked for: it takes seconds, and most machines have no card."""
    if find_spec("cupy") is None:
        raise DeviceUnavailable("CuPy is not installed: install the extra `gpu`, or ask for the device cpu.")
    # Importing succeeds without a card; the first allocation would fail. Without a driver, CuPy 13 raises where 14 says no.
    try:
        import cupy

        usable = cupy.cuda.is_available()
    except (ImportError, RuntimeError):
        usable = False
    if not usable:
        raise DeviceUnavailable("This machine has no usable CUDA device: ask for the device cpu or auto.")
    return cupy


NAMESPACES: dict[str, Callable[[], Any]] = {"cpu": _numpy, "cuda": _cupy}


def namespace(device: str) -> Any:
    """The array module of a device ("cpu" or "cuda"); raises DeviceUnavailable where the machine lacks it."""
    if device not in NAMESPACES:
        raise DeviceUnavailable(f"There is no device {device!r}: ask for one of {', '.join(NAMESPACES)}.")
    return NAMESPACES[device]()


def available(device: str) -> bool:
    """Whether `namespace(device)` would succeed."""
    try:
        namespace(device)
    except DeviceUnavailable:
        return False
    return True


def to_host(array: Any) -> Array:
    """The array as NumPy's, copied from the card where it lives there; a host array is returned as it is."""
    return array if isinstance(array, np.ndarray) else np.asarray(array.get())


def gather(xp: Any) -> Callable[..., Any]:
    """`take(array, indices, axis, out)` of a namespace, straight into `out`; the indices have to be in range.

    NumPy's goes through a buffer unless told what to do with an index that is not; CuPy's cannot be told.
    """
    return partial(np.take, mode="clip") if xp is np else xp.take
