"""Numba at arm's length: what kernels are made with. Imported only where kernels run, for Numba takes a second.

A kernel is a plain loop over C pointers that is compiled for a float type when first asked for, kept in the cache on
disk, and called by its address: a compiled driver takes the addresses of the kernels it needs as numbers, so that it is
compiled once and serves every activation, loss, optimiser and architecture.

LLVM packs a loop into vector instructions only where it knows that the arrays are apart. It is told so (`Apart`): no two
arrays given to one kernel or driver may overlap where either is written. Sums may be taken in another order and products
fused with sums (`FAST`); what would hide an infinity or a NaN may not be assumed.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np

from engine import compiling

if "numba" not in sys.modules:
    compiling.prepare()

import numba
from llvmlite import ir
from numba import types
from numba.core.compiler import Compiler
from numba.extending import intrinsic, overload

FAST = {"contract", "reassoc", "nsz"}
LANES = 16
"""Values that the micro-kernels work on at once: a vector register of float32, two of float64."""


class Apart(Compiler):  # type: ignore[misc, no-any-unimported]
    """Numba's compiler, which tells LLVM that the function's arrays do not overlap."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any) -> None:  # noqa: A002
        flags.noalias = True
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)


OPTIONS: dict[str, Any] = {"nopython": True, "nogil": True, "error_model": "numpy", "pipeline_class": Apart}


def driver(function: Callable[..., Any]) -> Any:
    """A function over arrays, called from Python, compiled for the types it is first called with."""
    return numba.jit(function, cache=True, fastmath=FAST, **OPTIONS)


@dataclass(frozen=True)
class Kernel:
    """A loop over C pointers. In its signature `array` is a pointer to the float type, `real` one such number."""

    function: Callable[..., None]
    signature: tuple[str, ...]

    def address(self, dtype: np.dtype[Any]) -> int:
        """Where the code for that float type stands; compiled, or fetched from the cache, at the first call."""
        return compile_kernel(self, np.dtype(dtype).name).address


@cache
def compile_kernel(kernel: Kernel, dtype: str) -> Any:
    real = getattr(types, dtype)
    kinds = {"array": types.CPointer(real), "real": real, "int": types.int64, "doubles": types.CPointer(types.float64)}
    signature = types.void(*(kinds[kind] for kind in kernel.signature))
    return numba.cfunc(signature, cache=True, fastmath=FAST, **OPTIONS)(kernel.function)


def numbers(spec: Any) -> list[float]:
    """A spec's own numbers, in the order of its fields: what its kernel is given as parameters."""
    return [float(getattr(spec, field.name)) for field in fields(spec) if field.name not in ("kind", "learning_rate")]


@intrinsic  # type: ignore[misc]
def call(typingctx: Any, address: Any, arguments: Any) -> Any:
    """Call the kernel at an address; an array stands for the pointer to its first value."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        parts = []
        for kind, value in zip(arguments.types, [builder.extract_value(values[1], i) for i in range(len(arguments))], strict=True):
            is_array = isinstance(kind, types.Array)
            parts.append(context.make_array(kind)(context, builder, value).data if is_array else value)
        code = ir.FunctionType(ir.VoidType(), [part.type for part in parts])
        builder.call(builder.inttoptr(values[0], code.as_pointer()), parts)
        return context.get_dummy_value()

    return types.void(types.int64, arguments), generate


@intrinsic  # type: ignore[misc]
def to(typingctx: Any, like: Any, value: Any) -> Any:
    """`value` in the float type of `like`: a bare 0.5 would turn float32 arithmetic into float64's."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.cast(builder, values[1], value, like)

    return like(like, value), generate


@intrinsic  # type: ignore[misc]
def nearest(typingctx: Any, x: Any) -> Any:
    """The whole number nearest to x, as a float."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = values[0].type
        return builder.call(builder.module.declare_intrinsic("llvm.rint", [kind]), values)

    return x(x), generate


@intrinsic  # type: ignore[misc]
def power_of_two(typingctx: Any, n: Any) -> Any:
    """2ⁿ for a whole number n within the float's exponents, by writing the exponent's bits."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        bits, mantissa, bias = (32, 23, 127) if n == types.float32 else (64, 52, 1023)
        whole = ir.IntType(bits)
        exponent = builder.add(builder.fptosi(values[0], whole), ir.Constant(whole, bias))
        return builder.bitcast(builder.shl(exponent, ir.Constant(whole, mantissa)), values[0].type)

    return n(n), generate


def _vector(builder: Any, base: Any, index: Any, real: Any) -> Any:
    """The address of LANES values of an array from `index` on, and the type of them together."""
    lanes = ir.VectorType(real, LANES)
    return builder.bitcast(builder.gep(base, [index]), lanes.as_pointer()), lanes


def _load(builder: Any, base: Any, index: Any, real: Any) -> Any:
    place, lanes = _vector(builder, base, index, real)
    return builder.load(place, align=real_size(real), typ=lanes)


def real_size(real: Any) -> int:
    return 4 if isinstance(real, ir.FloatType) else 8


def _splat(builder: Any, value: Any) -> Any:
    lanes = ir.VectorType(value.type, LANES)
    one = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(lanes, ir.Undefined), mask)


def _loop(builder: Any, count: Any, start: list[Any], body: Callable[[Any, list[Any]], list[Any]]) -> list[Any]:
    """for s in range(count): values = body(s, values); with the values in registers. Gives the last values."""
    whole = count.type
    before, head = builder.block, builder.append_basic_block("head")
    inside, after = builder.append_basic_block("inside"), builder.append_basic_block("after")
    builder.branch(head)
    builder.position_at_end(head)
    s = builder.phi(whole)
    s.add_incoming(ir.Constant(whole, 0), before)
    values = [builder.phi(value.type) for value in start]
    for phi, value in zip(values, start, strict=True):
        phi.add_incoming(value, before)
    builder.cbranch(builder.icmp_signed("<", s, count), inside, after)
    builder.position_at_end(inside)
    for phi, value in zip(values, body(s, values), strict=True):
        phi.add_incoming(value, builder.block)
    s.add_incoming(builder.add(s, ir.Constant(whole, 1)), builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return values


def _fused(builder: Any, total: Any, a: Any, b: Any) -> Any:
    return builder.fadd(total, builder.fmul(a, b, flags=("contract",)), flags=("contract",))


@intrinsic  # type: ignore[misc]
def combine(typingctx: Any, count: Any, out: Any, o: Any, W: Any, w: Any, across: Any, along: Any, A: Any, a: Any, terms: Any, width: Any) -> Any:
    """out[o + r·width : +LANES] += Σ_s W[w + r·across + s·along] · A[a + s·width : +LANES] for r < count, s < terms.

    A product of matrices a few rows at a time, the sums in registers; `count` is a literal.
    """
    rows = count.literal_value

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, out_, o_, W_, w_, across_, along_, A_, a_, terms_, width_ = values
        kinds = signature.args
        bases = [context.make_array(kind)(context, builder, value).data for kind, value in
                 ((kinds[1], out_), (kinds[3], W_), (kinds[7], A_))]
        real = context.get_value_type(kinds[1].dtype)
        zero = ir.Constant(ir.VectorType(real, LANES), [ir.Constant(real, 0.0)] * LANES)

        def body(s: Any, sums: list[Any]) -> list[Any]:
            column = builder.add(w_, builder.mul(s, along_))
            lanes = _load(builder, bases[2], builder.add(a_, builder.mul(s, width_)), real)
            result = []
            for r, total in enumerate(sums):
                place = builder.add(column, builder.mul(across_, ir.Constant(across_.type, r)))
                weight = builder.load(builder.gep(bases[1], [place]), typ=real)
                result.append(_fused(builder, total, _splat(builder, weight), lanes))
            return result

        for r, total in enumerate(_loop(builder, terms_, [zero] * rows, body)):
            index = builder.add(o_, builder.mul(width_, ir.Constant(width_.type, r)))
            place, lanes = _vector(builder, bases[0], index, real)
            whole = builder.fadd(builder.load(place, align=real_size(real), typ=lanes), total)
            builder.store(whole, place, align=real_size(real))
        return context.get_dummy_value()

    i = types.int64
    return types.void(count, out, i, W, i, i, i, A, i, i, i), generate


@intrinsic  # type: ignore[misc]
def correlate(typingctx: Any, count: Any, out: Any, o: Any, A: Any, a: Any, B: Any, b: Any, width: Any) -> Any:
    """out[o + r] += Σ_i A[a + i] · B[b + r·width + i] over i < width, a multiple of LANES, for r < count, a literal."""
    rows = count.literal_value

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, out_, o_, A_, a_, B_, b_, width_ = values
        kinds = signature.args
        bases = [context.make_array(kind)(context, builder, value).data for kind, value in
                 ((kinds[1], out_), (kinds[3], A_), (kinds[5], B_))]
        real = context.get_value_type(kinds[1].dtype)
        vector = ir.VectorType(real, LANES)
        zero = ir.Constant(vector, [ir.Constant(real, 0.0)] * LANES)

        def body(s: Any, sums: list[Any]) -> list[Any]:
            i = builder.mul(s, ir.Constant(s.type, LANES))
            lanes = _load(builder, bases[1], builder.add(a_, i), real)
            others = [builder.add(builder.add(b_, builder.mul(width_, ir.Constant(width_.type, r))), i) for r in range(rows)]
            return [_fused(builder, total, lanes, _load(builder, bases[2], other, real))
                    for total, other in zip(sums, others, strict=True)]

        turns = builder.sdiv(width_, ir.Constant(width_.type, LANES))
        add = builder.module.declare_intrinsic("llvm.vector.reduce.fadd", [vector], ir.FunctionType(real, [real, vector]))
        for r, total in enumerate(_loop(builder, turns, [zero] * rows, body)):
            place = builder.gep(bases[0], [builder.add(o_, ir.Constant(o_.type, r))])
            whole = builder.call(add, [ir.Constant(real, 0.0), total], fastmath=("reassoc",))
            builder.store(builder.fadd(builder.load(place, typ=real), whole), place)
        return context.get_dummy_value()

    i = types.int64
    return types.void(count, out, i, A, i, B, i, i), generate
