# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Readings of rows for k-means: squared distances to centroids, with rows side by side in vector registers.

A squared distance is summed from differences, feature after feature: ‖x‖² − 2xᵀc + ‖c‖² would lose the digits of rows that
lie near a centroid and far from 0. The definition that this repeats is `Rows` in engine/models/lloyd.py.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.fast.jit import driver, part
from engine.fast.microkernel import Emitter

REGISTER_BYTES = 32
"""Bytes of a vector: LLVM makes two of a narrower register's, and half of a wider one's."""
VECTORS = 3
SIDE_BY_SIDE = VECTORS * REGISTER_BYTES // 8
"""Rows whose distances are worked out at once. With AT_ONCE and float64 all stays in 16 registers: more would be spilled."""
AT_ONCE = 2
"""Centroids whose distances are worked out at once."""


@intrinsic(prefer_literal=True)
def hold_nearest(typing: Any, count: Any, best: Any, which: Any, at: Any, X: Any, C: Any, c: Any, first: Any, d: Any) -> Any:
    """Where ‖x − C[first + r]‖², r < count, is less than best[at + i], put it there and first + r into which[at + i].

    The rows stand side by side: X[j · SIDE_BY_SIDE + i] is feature j of row i < SIDE_BY_SIDE. C[c + r · d + j] is feature j
    of centroid first + r. `count` is written as a number: so many centroids are held at once.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, _, _, at_, _, _, c_, first_, d_ = values
        best_, which_, X_, C_ = (context.make_array(signature.args[i])(context, builder, values[i]).data for i in (1, 2, 4, 5))
        real = context.get_value_type(best.dtype)
        emit = Emitter(builder, real, SIDE_BY_SIDE // VECTORS)
        centroids, vectors = range(count.literal_value), range(VECTORS)

        def shifted(start: Any, vector: int) -> Any:
            return builder.add(start, ir.Constant(start.type, vector * emit.count))

        def squares(j: Any) -> list[tuple[Any, Any]]:
            offset = builder.mul(j, ir.Constant(j.type, SIDE_BY_SIDE))
            rows = [emit.load(emit.at(X_, shifted(offset, vector))) for vector in vectors]
            numbers = [emit.spread(builder.load(emit.at(C_, builder.add(c_, j), d_, r))) for r in centroids]
            found = [builder.fsub(lanes, number) for number in numbers for lanes in rows]
            return list(zip(found, found, strict=True))

        distances = emit.sums(d_, len(centroids) * VECTORS, squares)
        lowest = [emit.load(emit.at(best_, shifted(at_, vector))) for vector in vectors]
        index = [emit.load(emit.at(which_, shifted(at_, vector))) for vector in vectors]
        for r in centroids:
            number = emit.spread(builder.sitofp(builder.add(first_, ir.Constant(first_.type, r)), real))
            for vector in vectors:
                distance = distances[r * VECTORS + vector]
                nearer = builder.fcmp_ordered("<", distance, lowest[vector])
                lowest[vector] = builder.select(nearer, distance, lowest[vector])
                index[vector] = builder.select(nearer, number, index[vector])
        for vector in vectors:
            emit.store(lowest[vector], emit.at(best_, shifted(at_, vector)))
            emit.store(index[vector], emit.at(which_, shifted(at_, vector)))
        return context.get_dummy_value()

    return types.void(count, best, which, whole, X, C, whole, whole, whole), generate


@part
def _beside(X, first, many, beside):
    """Rows X[first : first + many], side by side; where they are fewer than SIDE_BY_SIDE, the last one again and again."""
    d = X.shape[1]
    for i in range(SIDE_BY_SIDE):
        row = X[first + min(i, many - 1)]
        for j in range(d):
            beside[j * SIDE_BY_SIDE + i] = row[j]


@part
def _nearest(beside, C, start, k, best, which):
    """Of the k centroids from C[start] on, the nearest to each row, and the squared distance to it."""
    d = beside.size // SIDE_BY_SIDE
    for i in range(SIDE_BY_SIDE):
        best[i], which[i] = np.inf, 0.0
    c = 0
    while c + AT_ONCE <= k:
        hold_nearest(AT_ONCE, best, which, 0, beside, C, (start + c) * d, c, d)
        c += AT_ONCE
    while c < k:
        hold_nearest(1, best, which, 0, beside, C, (start + c) * d, c, d)
        c += 1


@driver
def read_piece(X, start, end, C, k, sums, counts, inertias, beside, best, which):
    """Give each row of X[start:end] to the nearest of k centroids, for each run's k of them in C (runs · k · d,).

    Adds up each centroid's rows in sums (runs · k, d), their number in counts (runs · k,), and each run's squared distances
    in inertias (runs,), from 0 on. Scratch: beside (d · SIDE_BY_SIDE,), best and which (SIDE_BY_SIDE,).
    """
    d = X.shape[1]
    sums[:] = 0
    counts[:] = 0
    inertias[:] = 0
    for first in range(start, end, SIDE_BY_SIDE):
        many = min(SIDE_BY_SIDE, end - first)
        _beside(X, first, many, beside)
        for run in range(inertias.size):
            _nearest(beside, C, run * k, k, best, which)
            for i in range(many):
                inertias[run] += best[i]
                c = run * k + int(which[i])
                counts[c] += 1
                x, total = X[first + i], sums[c]
                for j in range(d):
                    total[j] += x[j]


@driver
def label_piece(X, start, end, C, k, labels, squares, beside, best, which):
    """Write the nearest of k centroids C (k · d,) to each row of X[start:end], and the squared distance to it, into labels
    and squares (n,).
    """
    for first in range(start, end, SIDE_BY_SIDE):
        many = min(SIDE_BY_SIDE, end - first)
        _beside(X, first, many, beside)
        _nearest(beside, C, 0, k, best, which)
        for i in range(many):
            labels[first + i] = int(which[i])
            squares[first + i] = best[i]


@driver
def approach_piece(X, start, end, centroid, squares):
    """Lower squares[i] to ‖X[i] − centroid‖² where that is less, for start ≤ i < end. Returns their sum."""
    total = 0.0
    for i in range(start, end):
        x, square = X[i], 0.0
        for j in range(centroid.size):
            difference = x[j] - centroid[j]
            square += difference * difference
        squares[i] = min(squares[i], square)
        total += squares[i]
    return total
