"""BLAS's product of matrices as a C function that compiled code may call: the one that NumPy itself has loaded."""

import ctypes
import sys
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

SYMBOLS = ("scipy_cblas_{}gemm64_", "cblas_{}gemm64_")
"""Its names where matrices are measured in 64-bit numbers, as in NumPy's own wheels and in distributions'."""
NARROW = "cblas_{}gemm"
"""Its name where they are measured in 32 bits. Linux passes either kind of number in a place of eight bytes."""


@cache
def controller() -> Any:
    """The BLAS libraries that this process has loaded, and their threads."""
    np.ones((1, 1)) @ np.ones((1, 1))
    return ThreadpoolController().select(user_api="blas")


@cache
def gemm(dtype: Any) -> int | None:
    """The address of CBLAS's sgemm or dgemm; None where NumPy's library has no such name."""
    letter = {"float32": "s", "float64": "d"}[np.dtype(dtype).name]
    names = [*SYMBOLS, *([NARROW] if sys.platform == "linux" else [])]
    libraries = [ctypes.CDLL(library["filepath"]) for library in controller().info()]
    for name in names:  # NumPy's own first, whatever else has been loaded: another library has other bits
        for loaded in libraries:
            found = getattr(loaded, name.format(letter), None)
            if found is not None:
                return ctypes.cast(found, ctypes.c_void_p).value
    return None
