"""The BLAS that NumPy's products of matrices run on, and its threads."""

from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def controller() -> Any:
    """The BLAS libraries that this process has loaded, and their threads."""
    np.ones((1, 1)) @ np.ones((1, 1))
    return ThreadpoolController().select(user_api="blas")
