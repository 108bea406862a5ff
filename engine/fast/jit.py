"""Numba at arm's length: what kernels are made with. Imported only where kernels run, for Numba takes a quarter of a second.

A kernel is a plain loop over C pointers, compiled for a float type when first asked for, kept in the cache on disk, and
called by its address. A driver, the compiled function that Python calls, takes the addresses of the kernels it needs as
numbers: so it is compiled once and serves every activation, loss, optimizer and architecture.

LLVM packs a loop into vector instructions only where it knows that the arrays are apart. It is told so (`Apart`): arrays
given to one kernel or driver must not overlap where one of them is written. Sums may be taken in another order and
products fused with sums (`FAST`); that nothing is infinite or NaN may not be assumed, or no run could be seen to diverge.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np

from engine.backend import Array
from engine.fast import kernel_cache

kernel_cache.prepare()  # before Numba is imported, which reads the folder of its cache once

import numba  # noqa: E402
from llvmlite import ir  # type: ignore[import-untyped]  # noqa: E402
from numba import types  # noqa: E402
from numba.core.compiler import Compiler  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

FAST = {"contract", "reassoc", "nsz"}
EXACT = {"contract"}


class Apart(Compiler):
    """Numba's compiler, which tells LLVM that a function's arrays do not overlap."""

    def __init__(self, typing: Any, target: Any, library: Any, args: Any, result: Any, flags: Any, names: Any) -> None:
        flags.noalias = True
        super().__init__(typing, target, library, args, result, flags, names)  # type: ignore[no-untyped-call]


OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "pipeline_class": Apart, "_nrt": False}
"""Nothing is allocated, so no references are counted (`_nrt`): who calls holds all arrays, and a group of arguments would have
each of its own counted whenever it is passed on.
"""


def driver(function: Callable[..., Any]) -> Any:
    """A compiled function over arrays. It is compiled for the types of its first call, and cached."""
    return numba.njit(function, cache=True, fastmath=FAST, **OPTIONS)


_bound: dict[tuple[Any, Any], Any] = {}


def bound(function: Any, dtype: Any, *arguments: Any) -> Any:
    """A driver's code for arguments like these, whose types depend on one float type. It is called as the driver is, but looks
    at no argument's type, which takes longer than all else in an epoch of a very small network.
    """
    if (function, dtype) not in _bound:
        kinds = tuple(numba.typeof(argument) for argument in arguments)  # type: ignore[no-untyped-call]
        function.compile(kinds)
        _bound[function, dtype] = function.overloads[kinds].entry_point
    return _bound[function, dtype]


# Parts are always inlined. Left apart, a part is compiled once on its own and once within its caller, and which of the
# two is called depends on whether the caller came from the cache: the bits would too.
def part(function: Callable[..., Any]) -> Any:
    """A piece of a driver."""
    return numba.njit(function, forceinline=True, fastmath=FAST, **OPTIONS)


def exact(function: Callable[..., Any]) -> Any:
    """A piece of a kernel whose arithmetic is taken in the order written: it depends on what rounding leaves."""
    return numba.njit(function, forceinline=True, fastmath=EXACT, error_model="numpy")


@dataclass(frozen=True)
class Kernel:
    """A loop over C pointers. Its signature names each argument's kind: see `compile_kernel`."""

    function: Callable[..., None]
    signature: tuple[str, ...]

    def address(self, dtype: Any) -> int:
        """The address of its code for that float type."""
        return int(compile_kernel(self, np.dtype(dtype).name).address)


@cache
def compile_kernel(kernel: Kernel, dtype: str, cached: bool = True) -> Any:
    """The kernel as Numba's C function. One from the cache cannot be looked into."""
    real = getattr(types, dtype)
    kinds = {
        "reals": types.CPointer(real),  # type: ignore[no-untyped-call]
        "real": real,
        "doubles": types.CPointer(types.float64),  # type: ignore[no-untyped-call]
        "double": types.float64,
        "int": types.int64,
        "ints": types.CPointer(types.int64),  # type: ignore[no-untyped-call]
    }
    signature = types.void(*(kinds[kind] for kind in kernel.signature))
    return numba.cfunc(signature, cache=cached, fastmath=FAST, **OPTIONS)(kernel.function)


def addresses(kernels: Iterable[Kernel], dtype: Any) -> Array:
    """The addresses of kernels for a float type, in their order."""
    return np.array([kernel.address(dtype) for kernel in kernels], np.int64)


def number(spec: Any) -> float:
    """The one number that a kernel takes of an activation or a loss; 0 where there is none."""
    return (*numbers(spec), 0.0)[0]


def numbers(spec: Any) -> list[float]:
    """A spec's own numbers in the order of its fields, which is the order in which its kernel takes them."""
    return [float(getattr(spec, field.name)) for field in fields(spec) if field.name not in ("kind", "learning_rate")]


@intrinsic
def call(typing: Any, address: Any, arguments: Any) -> Any:
    """Call the kernel at an address with a tuple of arguments; an array stands for a pointer to its first value."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        parts = []
        for index, kind in enumerate(arguments.types):
            value = builder.extract_value(values[1], index)
            parts.append(context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value)
        code = ir.FunctionType(ir.VoidType(), [part.type for part in parts])
        builder.call(builder.inttoptr(values[0], code.as_pointer()), parts)
        return context.get_dummy_value()

    return types.void(types.int64, arguments), generate


@intrinsic
def to(typing: Any, like: Any, value: Any) -> Any:
    """`value` in the float type of `like`: a bare 0.5 would turn arithmetic in float32 into float64's."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.cast(builder, values[1], value, like)

    return like(like, value), generate


@intrinsic
def nearest(typing: Any, x: Any) -> Any:
    """The whole number nearest to x, as a float of the same type."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.rint", [values[0].type]), values)

    return x(x), generate


@intrinsic
def power_of_two(typing: Any, n: Any) -> Any:
    """2ⁿ for a whole number n, given as a float, within the exponents that the type has."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        bits, mantissa, bias = (32, 23, 127) if n == types.float32 else (64, 52, 1023)
        whole = ir.IntType(bits)
        exponent = builder.add(builder.fptosi(values[0], whole), ir.Constant(whole, bias))
        return builder.bitcast(builder.shl(exponent, ir.Constant(whole, mantissa)), values[0].type)

    return n(n), generate
