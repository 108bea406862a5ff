# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""One step of a large network shared out among a team of threads, products of matrices and all.

Every member takes a share of the batch's rows forward and back, then, of every layer, a share of the rows of W: their
gradient from the whole batch, and their update. So the members meet twice a step. Who does what depends on the number of
members alone, so the bits do too.

Arrays are row by row: `space` holds the batch's X (batch, d) and each layer's Z, A and D (batch, units), where the table
`layers` says (see fast.py). `packed` holds what products take as their right factor (see products.py), where the table
`places` says: each layer's W and Wᵀ, packed anew with every update, while it is in the cache, and D.
"""

import math
import platform

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from engine.compiled import call, driver, part, to
from engine.drivers import A_IN, BIAS, GROUP, INPUTS, OUTPUTS, A, D, W, Z, penalize
from engine.micro import TILE

SPINS = 4000
"""Looks at the others' counter, some microseconds, before the core is offered to another thread."""
BLOCK = 1 << 14
"""Weights whose gradient is worked out and applied at once, while it is in the cache."""
AHEAD, LINE = 4, 64
"""Rows asked for before they are read; bytes of a cache line."""
MULTIPLY, PACK, PACK_TURNED = range(3)
"""Where the addresses of the products' kernels stand."""
AS_IT_IS, TURNED, SLOPES = range(3)
"""A layer's row in the table `places`: where its packed W, Wᵀ and D stand."""
PAUSE = {"x86_64": "llvm.x86.sse2.pause"}.get(platform.machine())
"""LLVM's name for the hint that a thread is waiting, which leaves the core to its twin."""


@intrinsic
def add_one(typing, counter):
    """counter[0] += 1, seen by every thread."""

    def generate(context, builder, signature, values):
        place = context.make_array(signature.args[0])(context, builder, values[0]).data
        builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "seq_cst")
        return context.get_dummy_value()

    return types.void(counter), generate


@intrinsic
def look(typing, counter):
    """counter[0] as the other threads have left it, and a hint that this one is waiting."""

    def generate(context, builder, signature, values):
        place = context.make_array(signature.args[0])(context, builder, values[0]).data
        if PAUSE:
            builder.call(get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), PAUSE), [])
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(counter), generate


@intrinsic
def fetch(typing, numbers, index):
    """Ask for the cache line of numbers[index], to be there when it is read."""

    def generate(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        place = builder.bitcast(builder.gep(data, [values[1]]), ir.IntType(8).as_pointer())
        flags = [ir.Constant(ir.IntType(32), flag) for flag in (0, 3, 1)]  # to read, to keep, data
        kinds = [place.type, *(flag.type for flag in flags)]
        function = ir.FunctionType(ir.VoidType(), kinds)
        builder.call(get_or_insert_function(builder.module, function, "llvm.prefetch.p0i8"), [place, *flags])
        return context.get_dummy_value()

    return types.void(numbers, types.int64), generate


@part
def _meet(counter, meeting, members, give_way):
    """Wait until all members are here for this meeting, counted from 1; what they wrote before can then be read."""
    if members > 1:
        add_one(counter)
        looks = 0
        while look(counter) < meeting * members:
            looks += 1
            if looks > SPINS:
                call(give_way, (0,))


@part
def _share(whole, member, members, step):
    """The part [start, end) of `whole` things that is this member's; `step` of them are not divided."""
    steps = (whole + step - 1) // step
    return min(whole, steps * member // members * step), min(whole, steps * (member + 1) // members * step)


@part
def _gather(X, rows, space):
    """Copy these rows of X (n, d) one after the other. Those ahead are asked for early: each lies somewhere else."""
    d = X.shape[1]
    for i in range(rows.size):
        if i + AHEAD < rows.size:
            coming = X[rows[i + AHEAD]]
            for j in range(0, d, LINE // X.itemsize):
                fetch(coming, j)
        row, x = X[rows[i]], space[i * d :][:d]
        for j in range(d):
            x[j] = row[j]


@part
def _forward(products, theta, layers, places, codes, parameters, space, packed, tile, start, rows):
    """Z and A of rows [start, start + rows) of the batch, layer by layer."""
    last = layers.shape[0] - 1
    for index in range(last + 1):
        layer = layers[index]
        inputs, outputs = layer[INPUTS], layer[OUTPUTS]
        z, a = layer[Z] + start * outputs, layer[A_IN] + start * inputs
        right = packed[places[index, AS_IT_IS] :]
        call(products[MULTIPLY], (space[z:], outputs, space[a:], inputs, 1, rows, right, inputs, outputs, tile))
        for i in range(rows):
            row = space[z + i * outputs :][:outputs]
            if layer[BIAS] >= 0:
                b = theta[layer[BIAS] :][:outputs]
                for j in range(outputs):
                    row[j] += b[j]
            if index < last:
                call(codes[2 * index], (row, space[layer[A] + (start + i) * outputs :], outputs, parameters[index]))


@part
def _losses(code, p, layer, Y, weights, order, begin, start, rows, batch, space, tile, losses, outputs):
    """The loss, ∂J/∂Z and raw outputs of rows [start, start + rows) of the batch, whose place in the epoch is `begin`."""
    k = Y.shape[1]
    y, d, own, work = k * GROUP, 2 * k * GROUP, 3 * k * GROUP, (3 * k + 1) * GROUP
    for group in range(start, start + rows, GROUP):
        width = min(GROUP, start + rows - group)
        for i in range(width):
            place = begin + group + i
            z, out, label = space[layer[Z] + (group + i) * k :][:k], outputs[place], Y[order[place]]
            for j in range(k):
                out[j] = z[j]
                tile[np.uintp(j * width + i)] = z[j]
                tile[np.uintp(y + j * width + i)] = label[j]
        call(code, (tile, tile[y:], tile[own:], tile[d:], tile[work:], k, width, p))
        for i in range(width):
            weight = weights[order[begin + group + i]] if weights.size else to(p, 1.0)
            losses[begin + group + i] = tile[own + i] * weight
            weight *= to(p, 1.0 / batch)
            slope = space[layer[D] + (group + i) * k :][:k]
            for j in range(k):
                slope[j] = tile[np.uintp(d + j * width + i)] * weight


@part
def _backward(products, layers, places, codes, parameters, space, packed, tile, start, rows, batch):
    """∂J/∂Z of every layer but the last, whose own stands in its D, for rows [start, start + rows); all of it packed too."""
    for index in range(layers.shape[0] - 1, -1, -1):
        layer = layers[index]
        inputs, outputs = layer[INPUTS], layer[OUTPUTS]
        to_here = layer[D] + start * outputs
        call(products[PACK], (space[to_here:], outputs, start, rows, outputs, packed[places[index, SLOPES] :], batch))
        if index == 0:
            break
        before = layers[index - 1]
        d, right = before[D] + start * inputs, packed[places[index, TURNED] :]
        call(products[MULTIPLY], (space[d:], inputs, space[to_here:], outputs, 1, rows, right, outputs, inputs, tile))
        z, a = before[Z] + start * inputs, before[A] + start * inputs
        call(codes[2 * index - 1], (space[z:], space[a:], space[d:], rows * inputs, parameters[index - 1]))


@part
def _update(code, theta, gradient, s1, s2, start, size, h, rate, step):
    call(code, (theta[start:], gradient[start:], s1[start:], s2[start:], size, h, rate, step))


@part
def _pack(products, theta, layers, places, packed, index, first, rows):
    """Pack rows [first, first + rows) of a layer's W, and their transpose but of the first layer, whose inputs ask for none."""
    inputs, outputs = layers[index, INPUTS], layers[index, OUTPUTS]
    some = theta[layers[index, W] + first * outputs :]
    call(products[PACK], (some, outputs, first, rows, outputs, packed[places[index, AS_IT_IS] :], inputs))
    if index:
        call(products[PACK_TURNED], (some, outputs, first, rows, outputs, packed[places[index, TURNED] :]))


@part
def _apply(products, code, theta, gradient, s1, s2, layers, places, packed, index, first, rows, h, rate, step):
    """Update rows [first, first + rows) of a layer's W, and pack them while they are in the cache."""
    outputs = layers[index, OUTPUTS]
    _update(code, theta, gradient, s1, s2, layers[index, W] + first * outputs, rows * outputs, h, rate, step)
    _pack(products, theta, layers, places, packed, index, first, rows)


@part
def _shorten(gradient, start, end, factor):
    for i in range(start, end):
        gradient[i] *= factor


@part
def _squares(g):
    total = to(g[0], 0.0)
    for i in range(g.size):
        total += g[i] * g[i]
    return total


@part
def _slope(products, layer, right, first, rows, theta, gradient, space, packed, tile, batch, l1, l2):
    """∇ of rows [first, first + rows) of a layer's W. Returns the sum of its squares."""
    inputs, outputs = layer[INPUTS], layer[OUTPUTS]
    a, w = layer[A_IN] + first, layer[W] + first * outputs
    place = (gradient[w:], outputs, space[a:], 1, inputs, rows, packed[right:], batch, outputs, tile)
    call(products[MULTIPLY], place)
    if l1 or l2:
        penalize(theta, gradient, w, rows * outputs, l1, l2)
    return _squares(gradient[w:][: rows * outputs])


@part
def _bias_slope(layer, first, end, gradient, space, batch):
    """∇ of b[first:end]. Returns the sum of its squares."""
    g = gradient[layer[BIAS] + first :][: end - first]
    g[:] = 0
    for i in range(batch):
        d = space[layer[D] + i * layer[OUTPUTS] + first :][: end - first]
        for j in range(g.size):
            g[j] += d[j]
    return _squares(g)


@driver
def train_share(
    member, members, counter, give_way, products, fresh, X, Y, weights, order, theta, gradient, s1, s2, losses, outputs, norms,
    layers, places, codes, parameters, space, packed, tile, squares, h, batch_size, first, count, l1, l2, clip, rate, step,
):  # fmt: skip
    """One member's share of `count` batches from `first` on; see `drivers.train_batches` for the arrays.

    All members call it at once, `counter` (1,) being 0 before. `products` (3,) holds the addresses of the products' kernels;
    `fresh` says that θ has not been packed yet; squares (members,) is where the members leave their share of |∇|².
    """
    last = layers.shape[0] - 1
    meeting = 0
    if fresh:
        for index in range(last + 1):
            top, bottom = _share(layers[index, INPUTS], member, members, TILE)
            _pack(products, theta, layers, places, packed, index, top, bottom - top)
        meeting += 1
        _meet(counter, meeting, members, give_way)
    for batch in range(first, first + count):
        begin = batch * batch_size
        size = min(batch_size, X.shape[0] - begin)
        start, end = _share(size, member, members, TILE if size >= TILE * members else 1)
        rows = end - start
        step += 1
        _gather(X, order[begin + start : begin + end], space[layers[0, A_IN] + start * X.shape[1] :])
        _forward(products, theta, layers, places, codes, parameters, space, packed, tile, start, rows)
        place = (begin, start, rows, size)
        _losses(codes[-2], parameters[-1], layers[last], Y, weights, order, *place, space, tile, losses, outputs)
        _backward(products, layers, places, codes, parameters, space, packed, tile, start, rows, size)
        meeting += 1
        _meet(counter, meeting, members, give_way)

        square = to(theta[0], 0.0)
        for index in range(last, -1, -1):
            layer, right = layers[index], places[index, SLOPES]
            top, bottom = _share(layer[INPUTS], member, members, TILE)
            some = max(TILE, BLOCK // layer[OUTPUTS] // TILE * TILE)
            for row in range(top, bottom, some):
                many = min(some, bottom - row)
                square += _slope(products, layer, right, row, many, theta, gradient, space, packed, tile, size, l1, l2)
                if clip == math.inf:
                    place = (layers, places, packed, index, row, many)
                    _apply(products, codes[-1], theta, gradient, s1, s2, *place, h, rate, step)
            if layer[BIAS] >= 0:
                left, right = _share(layer[OUTPUTS], member, members, TILE)
                square += _bias_slope(layer, left, right, gradient, space, size)
                if clip == math.inf:
                    _update(codes[-1], theta, gradient, s1, s2, layer[BIAS] + left, right - left, h, rate, step)
        squares[member] = square
        meeting += 1
        _meet(counter, meeting, members, give_way)
        norm = to(theta[0], 0.0)
        for each in range(members):
            norm += squares[each]
        norm = math.sqrt(norm)
        if clip != math.inf:
            factor = min(to(norm, 1.0), to(norm, clip) / norm)
            for index in range(last + 1):
                layer = layers[index]
                top, bottom = _share(layer[INPUTS], member, members, TILE)
                _shorten(gradient, layer[W] + top * layer[OUTPUTS], layer[W] + bottom * layer[OUTPUTS], factor)
                place = (layers, places, packed, index, top, bottom - top)
                _apply(products, codes[-1], theta, gradient, s1, s2, *place, h, rate, step)
                if layer[BIAS] >= 0:
                    left, right = _share(layer[OUTPUTS], member, members, TILE)
                    _shorten(gradient, layer[BIAS] + left, layer[BIAS] + right, factor)
                    _update(codes[-1], theta, gradient, s1, s2, layer[BIAS] + left, right - left, h, rate, step)
            meeting += 1
            _meet(counter, meeting, members, give_way)
        if member == 0:
            norms[batch] = norm
