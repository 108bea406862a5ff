# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Products of small matrices with their sums held in vector registers, written in LLVM's own terms.

LLVM vectorises an inner loop, but does not keep a block of sums in registers across an outer one; on matrices of a few
dozen rows that is worth a factor of three and more. `combine` and `correlate` work on LANES columns at once, `tile` on as
many as two of the processor's registers hold.
"""

import os
import platform
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import config, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from engine.fast.kernel_cache import TILE_VARIABLE

LANES = 16
"""Values side by side: one register of 512 bits in float32, two in float64."""
FUSE = ("contract",)


TILES = {"avx512": (64, 8, 2), "avx": (32, 4, 2), "sse": (16, 4, 2), "neon": (16, 4, 4)}
"""By instructions: bytes of a vector register; rows of a tile, and registers side by side.

Enough sums to keep the arithmetic busy, few enough for the registers, 16 or 32 of them. A strip's values are a multiple
of the rows.
"""


def _instructions() -> str:
    """The widest that Numba compiles for: this processor's, or those of NUMBA_CPU_FEATURES."""
    if platform.machine() in ("aarch64", "arm64"):
        return "neon"
    described = config.CPU_FEATURES
    if described is None:
        features = {name for name, has in binding.get_host_cpu_features().items() if has}
    else:
        features = {name[1:] for name in described.split(",") if name.startswith("+")}
    return "avx512" if "avx512f" in features else "avx" if "avx" in features else "sse"


TILE_NAME = os.environ.get(TILE_VARIABLE) or _instructions()
"""Any tile runs on any processor, if slower: LLVM makes one vector of two, or half of one."""
REGISTER, TILE, VECTORS = TILES[TILE_NAME]
"""TILE is how many rows `tile` works on at once."""
STRIP = VECTORS * REGISTER
"""Bytes of the columns that it works on at once."""


class Emitter:
    """The few instructions on vectors that the products are made of, for one float type."""

    def __init__(self, builder: Any, real: Any, count: int = LANES) -> None:
        self.builder, self.real, self.count = builder, real, count
        self.lanes = ir.VectorType(real, count)
        self.align = 4 if isinstance(real, ir.FloatType) else 8
        self.zero = ir.Constant(self.lanes, [ir.Constant(real, 0.0)] * count)

    def at(self, base: Any, start: Any, step: Any = None, times: int = 0) -> Any:
        """The address of base[start + times · step]."""
        if times:
            start = self.builder.add(start, self.builder.mul(step, ir.Constant(step.type, times)))
        return self.builder.gep(base, [start])

    def load(self, place: Any) -> Any:
        return self.builder.load(self.builder.bitcast(place, self.lanes.as_pointer()), align=self.align)

    def store(self, value: Any, place: Any) -> None:
        self.builder.store(value, self.builder.bitcast(place, self.lanes.as_pointer()), align=self.align)

    def spread(self, value: Any) -> Any:
        """One number in every lane."""
        nothing = ir.Constant(self.lanes, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        lanes = ir.VectorType(ir.IntType(32), self.count)
        return self.builder.shuffle_vector(first, nothing, ir.Constant(lanes, [0] * self.count))

    def shuffled(self, a: Any, b: Any, half: int) -> Any:
        """The first or the second half of a₀ b₀ a₁ b₁ …"""
        order = [half * self.count // 2 + i // 2 + i % 2 * self.count for i in range(self.count)]
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), self.count), order))

    def fused(self, total: Any, a: Any, b: Any) -> Any:
        return self.builder.fadd(total, self.builder.fmul(a, b, flags=FUSE), flags=FUSE)

    def across(self, value: Any) -> Any:
        """The sum of the lanes."""
        signature = ir.FunctionType(self.real, [self.real, self.lanes])
        name = f"llvm.vector.reduce.fadd.v{self.count}{self.real.intrinsic_name}"
        add = get_or_insert_function(self.builder.module, signature, name)
        return self.builder.call(add, [ir.Constant(self.real, -0.0), value], fastmath=("reassoc",))

    def sums(self, turns: Any, count: int, terms: Callable[[Any], list[tuple[Any, Any]]], at_once: int = 1) -> list[Any]:
        """`count` sums over s < turns, held in registers; `terms(s)` gives the two factors of each one's next term."""
        start, totals = ir.Constant(turns.type, 0), [self.zero] * count
        for step in range(at_once, 0, 1 - at_once or -1):  # terms by the dozen, then what is left of them one by one
            start, totals = self._loop(start, turns, totals, terms, step)
        return totals

    def _loop(self, start: Any, turns: Any, totals: list[Any], terms: Any, step: int) -> tuple[Any, list[Any]]:
        """Add terms, `step` a turn, while there are so many. Returns the first s that is left, and the sums."""
        builder, whole = self.builder, turns.type
        before, head = builder.block, builder.append_basic_block("head")
        inside, after = builder.append_basic_block("inside"), builder.append_basic_block("after")
        builder.branch(head)
        builder.position_at_end(head)
        s = builder.phi(whole)
        sums = [builder.phi(self.lanes) for _ in totals]
        next_s = builder.add(s, ir.Constant(whole, step))
        builder.cbranch(builder.icmp_signed("<=", next_s, turns), inside, after)
        builder.position_at_end(inside)
        following: list[Any] = list(sums)
        for turn in range(step):
            factors = terms(builder.add(s, ir.Constant(whole, turn)))
            following = [self.fused(total, a, b) for total, (a, b) in zip(following, factors, strict=True)]
        for phi, first, value in zip([s, *sums], [start, *totals], [next_s, *following], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(value, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return s, list(sums)


def _base(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The address of the first value of an array, or of what a pointer points to."""
    return value if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, value).data


@intrinsic(prefer_literal=True)
def combine(
    typing: Any, count: Any, out: Any, o: Any, W: Any, w: Any, across: Any, along: Any, A: Any, a: Any, terms: Any, width: Any
) -> Any:
    """out[o + r·width + i] += Σ_s W[w + r·across + s·along] · A[a + s·width + i], for r < count, s < terms, i < LANES.

    `count` is written as a number: so many sums are held at once.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, o_, _, w_, across_, along_, _, a_, terms_, width_ = values
        base_out, base_W, base_A = (_base(context, builder, signature.args[i], values[i]) for i in (1, 3, 7))
        emit = Emitter(builder, context.get_value_type(out.dtype))

        def factors(s: Any) -> list[tuple[Any, Any]]:
            weights = builder.add(w_, builder.mul(s, along_))
            lanes = emit.load(emit.at(base_A, builder.add(a_, builder.mul(s, width_))))
            return [
                (emit.spread(builder.load(emit.at(base_W, weights, across_, r))), lanes) for r in range(count.literal_value)
            ]

        for r, total in enumerate(emit.sums(terms_, count.literal_value, factors)):
            place = emit.at(base_out, o_, width_, r)
            emit.store(builder.fadd(emit.load(place), total), place)
        return context.get_dummy_value()

    return types.void(count, out, whole, W, whole, whole, whole, A, whole, whole, whole), generate


@intrinsic(prefer_literal=True)
def correlate(typing: Any, count: Any, out: Any, o: Any, A: Any, a: Any, B: Any, b: Any, width: Any) -> Any:
    """out[o + r] += Σ_i A[a + i] · B[b + r·width + i], for r < count and i < width, a multiple of LANES.

    `count` is written as a number: so many sums are held at once.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, o_, _, a_, _, b_, width_ = values
        base_out, base_A, base_B = (_base(context, builder, signature.args[i], values[i]) for i in (1, 3, 5))
        emit = Emitter(builder, context.get_value_type(out.dtype))

        def factors(s: Any) -> list[tuple[Any, Any]]:
            i = builder.mul(s, ir.Constant(s.type, LANES))
            lanes = emit.load(emit.at(base_A, builder.add(a_, i)))
            start = builder.add(b_, i)
            return [(lanes, emit.load(emit.at(base_B, start, width_, r))) for r in range(count.literal_value)]

        turns = builder.sdiv(width_, ir.Constant(width_.type, LANES))
        for r, total in enumerate(emit.sums(turns, count.literal_value, factors)):
            place = builder.gep(base_out, [builder.add(o_, ir.Constant(o_.type, r))])
            builder.store(builder.fadd(builder.load(place), emit.across(total)), place)
        return context.get_dummy_value()

    return types.void(count, out, whole, A, whole, B, whole, whole), generate


@intrinsic
def strip_of(typing: Any, numbers: Any) -> Any:
    """How many values of an array's type are as wide as a tile."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.get_constant(types.int64, STRIP * 8 // numbers.dtype.bitwidth)

    return types.int64(numbers), generate


@intrinsic(prefer_literal=True)
def tile(
    typing: Any, count: Any, C: Any, c: Any, c_width: Any, A: Any, a: Any, across: Any, along: Any, leap: Any,
    B: Any, b: Any, b_width: Any, terms: Any,
) -> Any:  # fmt: skip
    """C[c + r·c_width + i] = Σ_s A[a + r·across + s·along + ⌊s / strip⌋·leap] · B[b + s·b_width + i], r < count, s < terms,
    i < strip.

    A strip is as many values as STRIP bytes hold. `count` is written as a number. Here and below, C pointers serve as arrays.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, c_, c_width_, _, a_, across_, along_, leap_, _, b_, b_width_, terms_ = values
        base_C, base_A, base_B = (_base(context, builder, signature.args[i], values[i]) for i in (1, 4, 9))
        emit = Emitter(builder, context.get_value_type(C.dtype), REGISTER * 8 // C.dtype.bitwidth)
        rows, vectors = range(count.literal_value), range(VECTORS)
        shift = ir.Constant(b_.type, (VECTORS * emit.count).bit_length() - 1)

        def along_row(start: Any, vector: int) -> Any:
            return builder.add(start, ir.Constant(start.type, vector * emit.count))

        def factors(s: Any) -> list[tuple[Any, Any]]:
            place, term = builder.add(b_, builder.mul(s, b_width_)), builder.add(a_, builder.mul(s, along_))
            term = builder.add(term, builder.mul(builder.ashr(s, shift), leap_))
            strips = [emit.load(emit.at(base_B, along_row(place, vector))) for vector in vectors]
            numbers = [emit.spread(builder.load(emit.at(base_A, term, across_, r))) for r in rows]
            return [(number, lanes) for number in numbers for lanes in strips]

        totals = iter(emit.sums(terms_, len(rows) * VECTORS, factors, at_once=2))
        for r in rows:
            for vector in vectors:
                emit.store(next(totals), emit.at(base_C, along_row(c_, vector), c_width_, r))
        return context.get_dummy_value()

    arguments = (count, C, whole, whole, A, whole, whole, whole, whole, B, whole, whole, whole)
    return types.void(*arguments), generate


@intrinsic
def turn(typing: Any, out: Any, o: Any, o_width: Any, A: Any, a: Any, width: Any) -> Any:
    """out[o + j·o_width + i] = A[a + i·width + j] for i, j < TILE."""
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, o_, o_width_, _, a_, width_ = values
        base_out, base_A = (_base(context, builder, signature.args[i], values[i]) for i in (0, 3))
        emit = Emitter(builder, context.get_value_type(out.dtype), TILE)
        rows = [emit.load(emit.at(base_A, a_, width_, i)) for i in range(TILE)]
        for _ in range(TILE.bit_length() - 1):  # rows i and i + TILE / 2 shuffled like two halves of a pack of cards
            rows = [emit.shuffled(*pair, half) for pair in zip(rows, rows[TILE // 2 :], strict=False) for half in (0, 1)]
        for j, column in enumerate(rows):
            emit.store(column, emit.at(base_out, o_, o_width_, j))
        return context.get_dummy_value()

    return types.void(out, whole, whole, A, whole, whole), generate


@intrinsic
def copy_strip(typing: Any, out: Any, o: Any, A: Any, a: Any) -> Any:
    """out[o + i] = A[a + i] for i < strip. Of a loop of so few turns LLVM makes a call, which takes longer."""
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, o_, _, a_ = values
        base_out, base_A = (_base(context, builder, signature.args[i], values[i]) for i in (0, 2))
        emit = Emitter(builder, context.get_value_type(out.dtype), REGISTER * 8 // out.dtype.bitwidth)
        starts = [ir.Constant(a_.type, vector * emit.count) for vector in range(VECTORS)]
        lanes = [emit.load(emit.at(base_A, builder.add(a_, start))) for start in starts]
        for start, value in zip(starts, lanes, strict=True):
            emit.store(value, emit.at(base_out, builder.add(o_, start)))
        return context.get_dummy_value()

    return types.void(out, whole, A, whole), generate
