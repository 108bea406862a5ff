# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Sums over LANES rows of a batch side by side, held in vector registers: what the kernels of layers are made of.

Each value of a layer stands for LANES rows of the batch, one beside the other, so that a number of θ meets all of them in
one instruction, however few channels there are. Every sum is taken in the same order whatever registers a processor has.
All arrays are C pointers.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.fast.jit import part
from engine.fast.microkernel import LANES, Emitter, turn
from engine.fast.tiles import REGISTER, instructions

ROWS = 6 if instructions() == "neon" else 12 * REGISTER // 64
"""Sums of LANES numbers in float32 that fill a processor's registers, with room for what is multiplied."""
FOLDED = LANES // 2
"""Lanes in which `correlate_lanes` adds up: row i of the batch and row i + FOLDED take turns."""
FROM_ZERO, FROM_BIAS, FROM_OUT = range(3)
"""What a sum of `weigh` begins with."""


def _offset(builder, start, steps, turns):
    for step, times in zip(steps, turns, strict=True):
        start = builder.add(start, builder.mul(step, times))
    return start


def _after(builder, start, count):
    return builder.add(start, ir.Constant(start.type, count))


def _nest(builder, counts, totals, body):
    """The sums after loops within each other, counts[j] turns each; `body(turns, sums)` gives the sums after a turn."""

    def loop(outer, sums):
        if len(outer) == len(counts):
            return body(outer, sums)
        count = counts[len(outer)]
        before, head = builder.block, builder.append_basic_block("head")
        inside, after = builder.append_basic_block("inside"), builder.append_basic_block("after")
        builder.branch(head)
        builder.position_at_end(head)
        turn = builder.phi(count.type)
        carried = [builder.phi(total.type) for total in sums]
        builder.cbranch(builder.icmp_signed("<", turn, count), inside, after)
        builder.position_at_end(inside)
        following = [_after(builder, turn, 1), *loop([*outer, turn], carried)]
        first = [ir.Constant(count.type, 0), *sums]
        for phi, start, value in zip([turn, *carried], first, following, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(value, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return carried

    return loop([], totals)


def _unpack(builder, value, kind):
    return [builder.extract_value(value, j) for j in range(len(kind.types))]


@intrinsic(prefer_literal=True)
def weigh(typing, count, begin, out, o, W, w, across, w_steps, X, x, x_steps, turns, bias, b):
    """out[o + r·LANES + i] = Σ_s W[w + r·across + Σ_j s_j·w_steps_j] · X[x + i + Σ_j s_j·x_steps_j], r < count, i < LANES.

    s_j < turns_j, the last s fastest. `count` is written as a number, and so is `begin`: FROM_ZERO, or FROM_BIAS, which adds
    bias[b + r], or FROM_OUT, which adds to what is there.
    """
    whole = types.int64

    def generate(context, builder, signature, values):
        _, _, out_, o_, W_, w_, across_, w_steps_, X_, x_, x_steps_, turns_, bias_, b_ = values
        registers = max(1, LANES * out.dtype.bitwidth // 8 // REGISTER)
        emit = Emitter(builder, context.get_value_type(out.dtype), LANES // registers)
        at_once = max(1, ROWS * max(1, LANES * 4 // REGISTER) // registers)
        w_each, x_each = _unpack(builder, w_steps_, w_steps), _unpack(builder, x_steps_, x_steps)
        counts = _unpack(builder, turns_, turns)
        for first in range(0, count.literal_value, at_once):
            rows = range(first, min(first + at_once, count.literal_value))
            addresses = [emit.at(out_, _after(builder, o_, r * LANES + v * emit.count)) for r in rows for v in range(registers)]

            def body(s, sums, rows=rows):
                weight, lanes = _offset(builder, w_, w_each, s), _offset(builder, x_, x_each, s)
                vectors = [emit.load(emit.at(X_, _after(builder, lanes, v * emit.count))) for v in range(registers)]
                numbers = [emit.spread(builder.load(emit.at(W_, weight, across_, r))) for r in rows]
                pairs = [(number, vector) for number in numbers for vector in vectors]
                return [emit.fused(total, *pair) for total, pair in zip(sums, pairs, strict=True)]

            if begin.literal_value == FROM_OUT:
                sums = [emit.load(address) for address in addresses]
            elif begin.literal_value == FROM_BIAS:
                numbers = [emit.spread(builder.load(emit.at(bias_, _after(builder, b_, r)))) for r in rows]
                sums = [number for number in numbers for _ in range(registers)]
            else:
                sums = [emit.zero for _ in addresses]
            for total, address in zip(_nest(builder, counts, sums, body), addresses, strict=True):
                emit.store(total, address)
        return context.get_dummy_value()

    return types.void(count, begin, out, whole, W, whole, whole, w_steps, X, whole, x_steps, turns, bias, whole), generate


@intrinsic(prefer_literal=True)
def correlate_lanes(typing, rows, columns, out, o, o_step, X, x, x_steps, D, d, d_steps, turns):
    """out[o + r·o_step + c] += Σ_i Σ_s X[x + r·LANES + i + Σ_j s_j·x_steps_j] · D[d + c·LANES + i + Σ_j s_j·d_steps_j] for
    r < rows and c < columns, which are written as numbers; i < LANES, s_j < turns_j.

    First the sums over s are taken, FOLDED lanes beside each other, and then the lanes are added up by halves.
    """
    whole = types.int64

    def generate(context, builder, signature, values):
        _, _, out_, o_, o_step_, X_, x_, x_steps_, D_, d_, d_steps_, turns_ = values
        registers = max(1, FOLDED * out.dtype.bitwidth // 8 // REGISTER)
        emit = Emitter(builder, context.get_value_type(out.dtype), FOLDED // registers)
        x_each, d_each = _unpack(builder, x_steps_, x_steps), _unpack(builder, d_steps_, d_steps)
        counts = _unpack(builder, turns_, turns)
        wide = columns.literal_value
        at_once = max(1, 2 * ROWS // wide // registers)
        for first in range(0, rows.literal_value, at_once):
            some = range(first, min(first + at_once, rows.literal_value))

            def body(s, sums, some=some):
                left, right = _offset(builder, x_, x_each, s), _offset(builder, d_, d_each, s)
                following = list(sums)
                for start in range(0, LANES, emit.count):
                    shares = [emit.load(emit.at(D_, _after(builder, right, c * LANES + start))) for c in range(wide)]
                    for r in some:
                        lanes = emit.load(emit.at(X_, _after(builder, left, r * LANES + start)))
                        for c, share in enumerate(shares):
                            n = ((r - some[0]) * wide + c) * registers + start // emit.count % registers
                            following[n] = emit.fused(following[n], lanes, share)
                return following

            totals = _nest(builder, counts, [emit.zero] * (len(some) * wide * registers), body)
            for index, r in enumerate(some):
                for c in range(wide):
                    n = (index * wide + c) * registers
                    address = emit.at(out_, _after(builder, o_, c), o_step_, r)
                    builder.store(builder.fadd(builder.load(address), _folded(emit, totals[n : n + registers])), address)
        return context.get_dummy_value()

    return types.void(rows, columns, out, whole, whole, X, whole, x_steps, D, whole, d_steps, turns), generate


def _folded(emit, parts):
    """The sum of all lanes of the vectors: the second half is added to the first, until one number is left."""
    builder = emit.builder
    while len(parts) > 1:
        half = len(parts) // 2
        parts = [builder.fadd(a, b) for a, b in zip(parts[:half], parts[half:], strict=True)]
    value, size = parts[0], emit.count
    while size > 1:
        size //= 2
        halves = [ir.Constant(ir.VectorType(ir.IntType(32), size), list(range(start, start + size))) for start in (0, size)]
        value = builder.fadd(*(builder.shuffle_vector(value, value, half) for half in halves))
    return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))


@intrinsic
def after(typing, values, count):
    """The C pointer to the value that stands so many behind the first of an array, or behind another C pointer."""
    pointer = types.CPointer(values.dtype)

    def generate(context, builder, signature, given):
        kind = signature.args[0]
        first = given[0] if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, given[0]).data
        return builder.gep(first, [given[1]])

    return pointer(values, types.int64), generate


SQUARE = 8
"""Rows and columns of what is turned at once."""


@part
def turn_lanes(A, a, width, out, o, line):
    """Write A[a:] (width, LANES) as LANES rows of `width` numbers, which begin at o + i·line."""
    j = 0
    while j + SQUARE <= width:
        for i in range(0, LANES, SQUARE):
            turn(SQUARE, out, o + i * line + j, line, A, a + j * LANES + i, LANES)
        j += SQUARE
    while j < width:
        for i in range(LANES):
            out[o + i * line + j] = A[a + j * LANES + i]
        j += 1
