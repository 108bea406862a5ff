# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Products of small matrices with their sums held in vector registers, written in LLVM's own terms.

LLVM vectorizes an inner loop, but does not keep a block of sums in registers across an outer one; on matrices of a few
dozen rows that is worth a factor of three and more. `combine` and `correlate` work on LANES columns at once; `tile_rows` and
`tile_columns` on tiles of any shape, of which tiles.py says the one in use.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from engine.fast.tiles import REGISTER, SIDE, STRIP, VECTORS

LANES = 16
"""Values side by side: one register of 512 bits in float32, two in float64."""
FUSE = ("contract",)
AT_ONCE = 4
"""Terms of a tile's sums in one turn of its loop. Every strip is a multiple of them."""


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

    def load(self, address: Any) -> Any:
        return self.builder.load(self.builder.bitcast(address, self.lanes.as_pointer()), align=self.align)

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self.builder.bitcast(address, self.lanes.as_pointer()), align=self.align)

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

    def sum_lanes(self, value: Any) -> Any:
        """The sum of the lanes."""
        signature = ir.FunctionType(self.real, [self.real, self.lanes])
        name = f"llvm.vector.reduce.fadd.v{self.count}{self.real.intrinsic_name}"
        add = get_or_insert_function(self.builder.module, signature, name)
        return self.builder.call(add, [ir.Constant(self.real, -0.0), value], fastmath=("reassoc",))

    def sums(self, turns: Any, count: int, terms: Callable[[Any], list[tuple[Any, Any]]]) -> list[Any]:
        """`count` sums over s < turns, held in registers; `terms(s)` gives the two factors of each one's next term."""

        def add(s: Any, totals: list[Any]) -> list[Any]:
            return [self.fused(total, a, b) for total, (a, b) in zip(totals, terms(s), strict=True)]

        return self.loop(ir.Constant(turns.type, 0), turns, 1, [self.zero] * count, add)[1]

    def loop(
        self, start: Any, end: Any, step: int, state: list[Any], body: Callable[[Any, list[Any]], list[Any]]
    ) -> tuple[Any, list[Any]]:
        """Repeat state = body(s, state) for s = start, start + step, … while s + step ≤ end. Returns the s that is left, and
        the state.
        """
        builder, before = self.builder, self.builder.block
        head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        s, *kept = (builder.phi(value.type) for value in (start, *state))
        next_s = builder.add(s, ir.Constant(s.type, step))
        builder.cbranch(builder.icmp_signed("<=", next_s, end), inside, after)
        builder.position_at_end(inside)
        following = body(s, kept)
        for phi, first, value in zip([s, *kept], [start, *state], [next_s, *following], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(value, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return s, kept


def _base(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The address of the first value of an array, or of what a pointer points to."""
    return value if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, value).data


@intrinsic(prefer_literal=True)
def combine(
    typing: Any, count: Any, out: Any, o: Any, W: Any, w: Any, row_stride: Any, column_stride: Any, A: Any, a: Any,
    terms: Any, width: Any,
) -> Any:  # fmt: skip
    """out[o + r·width + i] += Σ_s W[w + r·row_stride + s·column_stride] · A[a + s·width + i]; r < count, s < terms, i < LANES.

    `count` is written as a number: so many sums are held at once.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, o_, _, w_, row_stride_, column_stride_, _, a_, terms_, width_ = values
        base_out, base_W, base_A = (_base(context, builder, signature.args[i], values[i]) for i in (1, 3, 7))
        emit = Emitter(builder, context.get_value_type(out.dtype))

        def factors(s: Any) -> list[tuple[Any, Any]]:
            weights = builder.add(w_, builder.mul(s, column_stride_))
            lanes = emit.load(emit.at(base_A, builder.add(a_, builder.mul(s, width_))))
            return [
                (emit.spread(builder.load(emit.at(base_W, weights, row_stride_, r))), lanes) for r in range(count.literal_value)
            ]

        for r, total in enumerate(emit.sums(terms_, count.literal_value, factors)):
            address = emit.at(base_out, o_, width_, r)
            emit.store(builder.fadd(emit.load(address), total), address)
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
            address = builder.gep(base_out, [builder.add(o_, ir.Constant(o_.type, r))])
            builder.store(builder.fadd(builder.load(address), emit.sum_lanes(total)), address)
        return context.get_dummy_value()

    return types.void(count, out, whole, A, whole, B, whole, whole), generate


@intrinsic(prefer_literal=True)
def values_in(typing: Any, size: Any, numbers: Any) -> Any:
    """How many values of an array's type take `size` bytes, which is written as a number."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.get_constant(types.int64, size.literal_value * 8 // numbers.dtype.bitwidth)

    return types.int64(size, numbers), generate


@intrinsic
def strip_of(typing: Any, numbers: Any) -> Any:
    """How many values of an array's type are as wide as the tile in use."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.get_constant(types.int64, STRIP * 8 // numbers.dtype.bitwidth)

    return types.int64(numbers), generate


class Sums(Emitter):
    """A tile of C: `rows` × `vectors` sums in registers of so many bytes, whose terms are added in their order.

    That order is all that a sum's bits depend on: not the tile, nor where it is interrupted, to be taken up from C.
    """

    def __init__(self, builder: Any, real: Any, register: int, rows: int, vectors: int) -> None:
        super().__init__(builder, real, register * 8 // (32 if isinstance(real, ir.FloatType) else 64))
        self.rows, self.vectors = range(rows), [vector * self.count for vector in range(vectors)]

    def number(self, value: int) -> Any:
        return ir.Constant(ir.IntType(64), value)

    def beyond(self, address: Any, values: int) -> Any:
        """The address so many values behind another."""
        return self.builder.gep(address, [self.number(values)])

    def begin(self, addresses: list[Any], more: Any) -> list[Any]:
        """The sums at first: 0, or what stands in C if `more` is not 0."""
        builder, before = self.builder, self.builder.block
        loading, after = builder.append_basic_block("more"), builder.append_basic_block("begin")
        builder.cbranch(builder.icmp_signed("!=", more, self.number(0)), loading, after)
        builder.position_at_end(loading)
        loaded = [self.load(address) for address in addresses]
        builder.branch(after)
        builder.position_at_end(after)
        sums = [builder.phi(self.lanes) for _ in addresses]
        for total, value in zip(sums, loaded, strict=True):
            total.add_incoming(self.zero, before)
            total.add_incoming(value, loading)
        return sums

    def add(self, sums: list[Any], row: Any, numbers: list[Any]) -> list[Any]:
        """The sums and one more term each: the numbers at these addresses, one a row, times the values at `row`."""
        lanes, before, after = [self.load(self.beyond(row, vector)) for vector in self.vectors], iter(sums), []
        for number in numbers:  # spread one by one, for all of them at once are more than the registers hold
            factor = self.spread(self.builder.load(number))
            after += [self.fused(next(before), factor, each) for each in lanes]
        return after


@intrinsic(prefer_literal=True)
def tile_rows(
    typing: Any, register: Any, rows: Any, vectors: Any, strip: Any, C: Any, c: Any, more: Any, A: Any, a: Any, block_gap: Any,
    B: Any, b: Any, b_width: Any, terms: Any,
) -> Any:  # fmt: skip
    """C[c + r·strip + i] = Σ_s A[a + r·strip + s + ⌊s / strip⌋·block_gap] · B[b + s·b_width + i], r < rows, s < terms,
    i < vectors of so many bytes. If `more` is not 0, what stands in C comes before the first term.

    The first four are written as numbers; here `strip` is in bytes. Here and below, C pointers serve as arrays.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, _, _, _, c_, more_, _, a_, leap_, _, b_, width, terms_ = values
        base_C, base_A, base_B = (_base(context, builder, signature.args[i], values[i]) for i in (4, 7, 10))
        shape = (register.literal_value, rows.literal_value, vectors.literal_value)
        emit = Sums(builder, context.get_value_type(C.dtype), *shape)
        size = strip.literal_value * 8 // C.dtype.bitwidth
        number, start = emit.number, builder.gep(base_C, [c_])
        addresses = [emit.beyond(start, r * size + vector) for r in emit.rows for vector in emit.vectors]

        def terms_from(at_a: Any, at_b: Any, sums: list[Any], count: int) -> list[Any]:
            for s in range(count):
                row = builder.gep(at_b, [builder.mul(width, number(s))])
                sums = emit.add(sums, row, [emit.beyond(at_a, r * size + s) for r in emit.rows])
            return sums

        def several(_: Any, state: list[Any]) -> list[Any]:
            at_a, at_b, left, *sums = state
            sums = terms_from(at_a, at_b, sums, AT_ONCE)
            left = builder.sub(left, number(AT_ONCE))
            ends = builder.icmp_signed("==", left, number(0))  # a strip of A
            on = builder.select(ends, builder.add(leap_, number(AT_ONCE)), number(AT_ONCE))
            left = builder.select(ends, number(size), left)
            return [builder.gep(at_a, [on]), builder.gep(at_b, [builder.mul(width, number(AT_ONCE))]), left, *sums]

        def one(_: Any, state: list[Any]) -> list[Any]:
            at_a, at_b, *sums = state
            return [emit.beyond(at_a, 1), builder.gep(at_b, [width]), *terms_from(at_a, at_b, sums, 1)]

        state = [builder.gep(base_A, [a_]), builder.gep(base_B, [b_]), number(size), *emit.begin(addresses, more_)]
        s, (at_a, at_b, _, *sums) = emit.loop(number(0), terms_, AT_ONCE, state, several)
        _, (_, _, *sums) = emit.loop(s, terms_, 1, [at_a, at_b, *sums], one)
        for total, address in zip(sums, addresses, strict=True):
            emit.store(total, address)
        return context.get_dummy_value()

    arguments = (register, rows, vectors, strip, C, whole, whole, A, whole, whole, B, whole, whole, whole)
    return types.void(*arguments), generate


@intrinsic(prefer_literal=True)
def tile_columns(
    typing: Any, register: Any, rows: Any, vectors: Any, strip: Any, C: Any, c: Any, c_width: Any, A: Any, a: Any, limit: Any,
    jump: Any, B: Any, b: Any, terms: Any,
) -> Any:  # fmt: skip
    """C[c + r·c_width + i] = Σ_s A[a + s·strip + r + (jump if r ≥ limit)] · B[b + s·strip + i], r < rows, s < terms, i <
    vectors of so many bytes: from column r = limit on, A's columns stand in the next strip.

    The first four are written as numbers; here `strip` is in bytes.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, _, _, _, c_, c_width_, _, a_, limit_, jump_, _, b_, terms_ = values
        base_C, base_A, base_B = (_base(context, builder, signature.args[i], values[i]) for i in (4, 7, 11))
        shape = (register.literal_value, rows.literal_value, vectors.literal_value)
        emit = Sums(builder, context.get_value_type(C.dtype), *shape)
        size, number = strip.literal_value * 8 // C.dtype.bitwidth, emit.number
        start_a, start_b = builder.gep(base_A, [a_]), builder.gep(base_B, [b_])
        columns = [emit.beyond(start_a, r) for r in emit.rows]
        if size % len(columns) or SIDE % len(columns):  # else a tile's columns stand in one strip, and one address serves all
            block_gaps = [builder.select(builder.icmp_signed(">=", number(r), limit_), jump_, number(0)) for r in emit.rows]
            columns = [builder.gep(column, [block_gap]) for column, block_gap in zip(columns, block_gaps, strict=True)]

        def terms_from(s: Any, sums: list[Any], count: int) -> list[Any]:
            for term in range(count):
                on = [builder.add(s, number(term * size))]
                sums = emit.add(sums, builder.gep(start_b, on), [builder.gep(column, on) for column in columns])
            return sums

        rows_of_c = [builder.gep(base_C, [builder.add(c_, builder.mul(c_width_, number(r)))]) for r in emit.rows]
        addresses = [emit.beyond(row, vector) for row in rows_of_c for vector in emit.vectors]
        end, sums = builder.mul(terms_, number(size)), [emit.zero] * len(addresses)
        s, sums = emit.loop(number(0), end, AT_ONCE * size, sums, lambda s, sums: terms_from(s, sums, AT_ONCE))
        _, sums = emit.loop(s, end, size, sums, lambda s, sums: terms_from(s, sums, 1))
        for total, address in zip(sums, addresses, strict=True):
            emit.store(total, address)
        return context.get_dummy_value()

    arguments = (register, rows, vectors, strip, C, whole, whole, A, whole, whole, whole, B, whole, whole)
    return types.void(*arguments), generate


@intrinsic(prefer_literal=True)
def ask_for(typing: Any, A: Any, a: Any, write: Any) -> Any:
    """Have the line of the cache that A[a] stands in fetched meanwhile: it will be read, or written where `write` is 1."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address = builder.gep(_base(context, builder, signature.args[0], values[0]), [values[1]])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        signature_ = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        ask = get_or_insert_function(builder.module, signature_, "llvm.prefetch.p0")
        builder.call(
            ask, [builder.bitcast(address, byte), *(ir.Constant(number, value) for value in (write.literal_value, 2, 1))]
        )
        return context.get_dummy_value()

    return types.void(A, types.int64, write), generate


@intrinsic(prefer_literal=True)
def turn(typing: Any, side: Any, out: Any, o: Any, o_width: Any, A: Any, a: Any, width: Any) -> Any:
    """out[o + j·o_width + i] = A[a + i·width + j] for i, j < side, a power of two that is written as a number."""
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, o_, o_width_, _, a_, width_ = values
        base_out, base_A = (_base(context, builder, signature.args[i], values[i]) for i in (1, 4))
        many = side.literal_value
        emit = Emitter(builder, context.get_value_type(out.dtype), many)
        rows = [emit.load(emit.at(base_A, a_, width_, i)) for i in range(many)]
        for _ in range(many.bit_length() - 1):  # rows i and i + many / 2 shuffled like two halves of a pack of cards
            rows = [emit.shuffled(*pair, half) for pair in zip(rows, rows[many // 2 :], strict=False) for half in (0, 1)]
        for j, column in enumerate(rows):
            emit.store(column, emit.at(base_out, o_, o_width_, j))
        return context.get_dummy_value()

    return types.void(side, out, whole, whole, A, whole, whole), generate


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
