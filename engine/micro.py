# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Two products of small matrices with their sums held in vector registers, written in LLVM's own terms.

LLVM vectorises an inner loop, but does not keep a block of sums in registers across an outer one; on matrices of a few
dozen rows that is worth a factor of three and more. Both work on LANES columns at once.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

LANES = 16
"""Values side by side: one register of 512 bits in float32, two in float64."""
FUSE = ("contract",)


class Emitter:
    """The few instructions on vectors that the products are made of, for one float type."""

    def __init__(self, builder: Any, real: Any) -> None:
        self.builder, self.real = builder, real
        self.lanes = ir.VectorType(real, LANES)
        self.align = 4 if isinstance(real, ir.FloatType) else 8
        self.zero = ir.Constant(self.lanes, [ir.Constant(real, 0.0)] * LANES)

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
        return self.builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    def fused(self, total: Any, a: Any, b: Any) -> Any:
        return self.builder.fadd(total, self.builder.fmul(a, b, flags=FUSE), flags=FUSE)

    def across(self, value: Any) -> Any:
        """The sum of the lanes."""
        signature = ir.FunctionType(self.real, [self.real, self.lanes])
        name = f"llvm.vector.reduce.fadd.v{LANES}{self.real.intrinsic_name}"
        add = get_or_insert_function(self.builder.module, signature, name)
        return self.builder.call(add, [ir.Constant(self.real, -0.0), value], fastmath=("reassoc",))

    def sums(self, turns: Any, count: int, terms: Callable[[Any], list[tuple[Any, Any]]]) -> list[Any]:
        """`count` sums over s < turns, held in registers; `terms(s)` gives the two factors of each one's next term."""
        builder, whole = self.builder, turns.type
        before, head = builder.block, builder.append_basic_block("head")
        inside, after = builder.append_basic_block("inside"), builder.append_basic_block("after")
        builder.branch(head)
        builder.position_at_end(head)
        s = builder.phi(whole)
        totals = [builder.phi(self.lanes) for _ in range(count)]
        builder.cbranch(builder.icmp_signed("<", s, turns), inside, after)
        builder.position_at_end(inside)
        following = [self.fused(total, a, b) for total, (a, b) in zip(totals, terms(s), strict=True)]
        next_s = builder.add(s, ir.Constant(whole, 1))
        for phi, start, value in zip(
            [s, *totals], [ir.Constant(whole, 0)] + [self.zero] * count, [next_s, *following], strict=True
        ):
            phi.add_incoming(start, before)
            phi.add_incoming(value, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return totals


def _base(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


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
