"""The fast path of a network with layers of several kinds: see layer_step.py for how a step is taken."""

from ctypes import CDLL, c_void_p, cast
from math import inf
from typing import Any

import numpy as np

from engine.backend import Array
from engine.fast import barrier, block_kernels, fused_step, kernels, layer_step, threads
from engine.fast import layer_columns as at
from engine.fast.epoch import Scores, plain
from engine.fast.groups import Report
from engine.fast.jit import numbers
from engine.fast.lane_tile import ROWS
from engine.fast.layer_step import Layers, Members, Room, Rows, Update
from engine.fast.layer_table import Table, has_kernel
from engine.fast.microkernel import LANES
from engine.fast.team_step import MOST
from engine.models.base import Matrices, Problem
from engine.models.descent import first_of
from engine.network.network import is_dense
from engine.randomness import generator

MOST_PIECES = 16
"""Pieces that a batch is cut into at most: each of them adds up a gradient of its own."""
MOST_BYTES = 1 << 28
"""Bytes that the layers' arrays may take for more rows than one piece's."""
MANY_WEIGHTS = 1 << 20
"""So many numbers of W in a dense layer outgrow a near cache: fewer, larger pieces read them less often."""
PIECE = 8192
"""Numbers of θ in a piece of the second phase, about."""
WHOLE_TILES = 12
"""Rows of a dense layer's W in a piece are a multiple of it, which is one of every processor's tile."""
CALL_OPERATIONS = 4e9
"""Operations of each member in one compiled call, about 40 to 80 ms, after which the caller may stop."""


def layerwise(problem: Problem, vectors: dict[str, Array], batch_size: int) -> "Layerwise | None":
    """The path, or None where it does not suit the problem."""
    return Layerwise(problem, vectors, batch_size) if supported(problem) else None


def supported(problem: Problem) -> bool:
    """Whether everything that the problem is made of has a kernel. Networks of dense layers alone have paths of their own, and
    run by their definition where these do not suit, in the bits that they always had.
    """
    spec, network = problem.spec, problem.network
    return (
        network.xp is np
        and not is_dense(network.layers)
        and all(has_kernel(layer) for layer in network.layers)
        and any(layer.size for layer in network.layers)
        and type(spec.loss) in kernels.LOSSES
        and type(spec.optimizer) in kernels.OPTIMIZERS
    )


class Layerwise:
    """Steps (see descent.py) on a team of as many threads as a product of matrices may take."""

    def __init__(self, problem: Problem, vectors: dict[str, Array], batch_size: int) -> None:
        spec, network, train = problem.spec, problem.network, problem.train
        assert spec.loss is not None and spec.optimizer is not None
        dtype = network.dtype
        self.network, self.batch_size = network, batch_size
        self.seed, self.unmasked = spec.seed or 0, np.zeros((0, 0), dtype)
        self.data, self.results = self._rows(train), self._results(train.rows, -(-train.rows // batch_size))
        self.scored = Scores("train", problem, train)
        held = problem.validation
        self.held = (
            None if held is None else (self._rows(held), self._results(held.rows, 0), Scores("validation", problem, held))
        )

        self.table = table = Table(network.layers, dtype)
        code, zeros = kernels.LOSSES[type(spec.loss)].address(dtype), np.zeros(max(table.array[:, at.OUTPUTS]), dtype)
        loss_number = dtype.type((*numbers(spec.loss), 0.0)[0])
        own = np.array([*table.numbers, 0.0], dtype)
        self.layers = Layers(network.parameters.theta, table.array, own, code, loss_number, zeros, block_addresses(dtype))
        self.pieces = pieces_of(table.array)
        empty = np.empty(0, dtype)
        s1, s2 = [*(vectors[name] for name in spec.optimizer.slots), empty, empty.copy()][:2]
        clip = spec.regularization.clip_norm if spec.regularization is not None else None
        l1, l2 = spec.penalties(train.rows)
        self.update = Update(
            kernels.OPTIMIZERS[type(spec.optimizer)].address(dtype), network.parameters.gradient, s1, s2,
            np.array(numbers(spec.optimizer) or [0.0]), float(l1), float(l2), inf if clip is None else float(clip), 0.0,
            self.pieces, np.empty(len(self.pieces), dtype),
        )  # fmt: skip
        self._make_room(min(batch_size, train.rows))

    def _rows(self, split: Matrices) -> Rows:
        dtype = self.network.dtype
        X, Y, weights = (plain(array, dtype) for array in (split.X, split.Y, split.weights))
        return Rows(X, Y, weights, np.arange(split.rows), self.unmasked)

    def _results(self, rows: int, batches: int) -> Report:
        shapes = ((rows,), (rows, self.network.outputs), (batches,))
        return Report(*(np.empty(shape, self.network.dtype) for shape in shapes))

    def _make_room(self, batch: int) -> None:
        """Cut a batch into pieces, and make what each member of the team writes."""
        table, dtype = self.table, self.network.dtype
        piece = rows_of_a_piece(table.array, batch)
        fitting = MOST_BYTES // (dtype.itemsize * (table.size + table.by_row)) // piece
        parts = max(1, min(-(-min(batch, MOST) // piece), fitting))
        height = parts * piece
        self.team = threads.Team(min(threads.count(), max(parts, len(self.pieces))))
        stride = int(self.team.size * CALL_OPERATIONS / (6 * self.network.products * batch))
        self.stride = 1 if table.masks else max(1, stride)

        def zeros(*shape: int) -> Array:
            return np.zeros(shape, dtype)

        space, by_row, sums = zeros(table.size * height), zeros(table.by_row * height + LANES), zeros(parts, max(1, table.sums))
        k, widest = self.network.outputs, int(table.array[:, [at.INPUTS, at.OUTPUTS]].max()) * piece
        scratch, part = table.scratch * piece // LANES, int(self.pieces[:, layer_step.SIZE].max())

        def room() -> Room:
            own = ((k + 4) * LANES, scratch, widest, widest, part, ROWS * LANES)
            loss, laid_down, slopes, others, gradient, tile = map(zeros, own)
            return Room(space, by_row, sums, loss, laid_down, slopes, others, gradient, tile, height, piece)

        self.rooms = [room() for _ in range(self.team.size)]
        self.counters = np.zeros(barrier.counters_size(self.team.size), np.int64)
        self.give_way = cast(CDLL(None).sched_yield, c_void_p).value

    def _run(self, rows: Rows, *rest: Any) -> None:
        """Have every member of the team do its share."""

        def work(member: int) -> None:
            team = Members(member, self.team.size, self.counters, self.give_way or 0)
            layer_step.train_layers(team, rows, self.layers, self.rooms[member], *rest)

        self.counters[:] = 0
        self.team(work, self._give_up)

    def _give_up(self) -> None:
        self.counters[barrier.FAILED] = 1

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        """See `Steps`. Masks are drawn for a batch at a time."""
        rows, update = self.data._replace(order=order), self.update._replace(rate=float(rate))
        at_once = 1 if self.table.masks else count
        for done in range(0, count, at_once):
            rows = rows._replace(masks=self._masks(first + done, step + done + 1))
            batches = (self.batch_size, first + done, at_once, step + done)
            self._run(rows, self.results, update, *batches)

    def _masks(self, batch: int, step: int) -> Array:
        """The masks (rows, units of all such layers) that a batch's step draws, as Network.draw_masks does."""
        if not self.table.masks:
            return self.unmasked
        rows = min(self.batch_size, len(self.data.X) - batch * self.batch_size)
        rng, drawn = generator(self.seed, "dropout", step), []
        for layer in self.network.layers:
            if layer.dropout:
                stays = rng.random((rows, layer.outputs), np.float32) >= layer.dropout
                drawn.append(stays.astype(self.network.dtype) / self.network.dtype.type(1 - layer.dropout))
        return np.concatenate(drawn, axis=1)

    @property
    def losses(self) -> Array:
        return self.results.losses

    def so_far(self, count: int) -> dict[str, Array]:
        return first_of(count, self.batch_size, *self.results)

    def settle(self) -> None:
        """Nothing is kept elsewhere."""

    def means(self) -> tuple[float, float]:
        loss, norm = fused_step.means(self.results.losses, self.results.norms)
        return loss, norm

    def scores(self, order: Array) -> dict[str, float | None]:
        return self.scored(self.results.outputs, order)

    def validate(self) -> dict[str, float | None]:
        if self.held is None:
            return {}
        rows, results, scored = self.held
        self._run(rows, results, self.update._replace(pieces=self.pieces[:0]), len(rows.X), 0, 1, 0)
        loss, _ = fused_step.means(results.losses, results.norms)
        return {"validation_loss": loss, **scored(results.outputs)}


def block_addresses(dtype: Any) -> Array:
    """The addresses of the kernels of blocks, in the order in which block_kernels.py names them."""
    return np.array([kernel.address(dtype) for kernel in block_kernels.KERNELS], np.int64)


def rows_of_a_piece(table: Array, batch: int) -> int:
    """Rows of a batch that go through the network together: one block, unless there are many or dense layers are large."""
    blocks = -(-min(batch, MOST) // LANES)
    largest = table[table[:, at.X_ROWS] >= 0, at.WEIGHTS].max(initial=0)
    shared = min(4, blocks // 4) if largest >= MANY_WEIGHTS else 1
    return LANES * max(-(-blocks // MOST_PIECES), shared)


def pieces_of(table: Array) -> Array:
    """θ cut into pieces, with the columns that layer_step.py names."""
    found = []
    for index, row in enumerate(table):
        size, place = row[at.WEIGHTS] + row[at.BIASES], row[at.PARAMETERS]
        if row[at.SLOT] >= 0:
            for start in range(0, size, PIECE):
                many = min(PIECE, size - start)
                weights = max(0, min(many, row[at.WEIGHTS] - start))
                found.append((index, place + start, many, weights, row[at.SLOT] + start, 0))
        elif size:
            inputs, outputs = row[at.INPUTS], row[at.OUTPUTS]
            rows = max(1, PIECE // outputs // WHOLE_TILES) * WHOLE_TILES
            for start in range(0, inputs, rows):
                many = min(rows, inputs - start)
                biases = row[at.BIASES] if start + many == inputs else 0
                found.append((index, place + start * outputs, many * outputs + biases, many * outputs, start, many))
    return np.array(found, np.int64).reshape(-1, layer_step.PIECE_COLUMNS)
