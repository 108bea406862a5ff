"""The fast path of a network with layers of several kinds: see layer_step.py for how a step is taken."""

from typing import Any

import numpy as np

from engine.backend import Array
from engine.fast import barrier, block_kernels, fused_step, groups, kernels, layer_step, threads
from engine.fast import layer_columns as at
from engine.fast.coverage import is_compiled
from engine.fast.epoch import Reported, Scores, has_parts, report_of, rows_of
from engine.fast.jit import addresses, number
from engine.fast.lane_tile import ROWS
from engine.fast.layer_step import Layers, Members, Room, Rows, Update
from engine.fast.layer_table import Table
from engine.fast.microkernel import LANES
from engine.fast.team_step import MOST
from engine.models.base import Problem
from engine.network.network import is_dense

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
    """Whether everything that the problem is made of has a kernel; networks of dense layers alone have paths of their own."""
    layers = problem.network.layers
    return not is_dense(layers) and is_compiled(layers) and has_parts(problem)


class Layerwise(Reported):
    """Steps (see descent.py) on a team of as many threads as a product of matrices may take."""

    def __init__(self, problem: Problem, vectors: dict[str, Array], batch_size: int) -> None:
        super().__init__(problem, vectors, batch_size)
        spec, network = problem.spec, problem.network
        assert spec.loss is not None and spec.optimizer is not None
        dtype, rule = network.dtype, self.rule
        self.seed, self.unmasked = spec.seed or 0, np.zeros((0, 0), dtype)
        self.data, self.held = self._ordered(self.rows), None
        if problem.validation is not None:
            held = self._ordered(rows_of(problem.validation, dtype))
            scores = Scores("validation", problem, problem.validation)
            self.held = (held, report_of(network, len(held.X), 0), scores)

        self.table = table = Table(network.layers, dtype)
        loss, zeros = kernels.LOSSES[type(spec.loss)].address(dtype), np.zeros(max(table.array[:, at.OUTPUTS]), dtype)
        own, blocks = np.array([*table.numbers, 0.0], dtype), addresses(block_kernels.KERNELS, dtype)
        loss_number = dtype.type(number(spec.loss))
        self.layers = Layers(network.parameters.theta, table.array, own, loss, loss_number, zeros, blocks)
        self.pieces = pieces_of(table.array)
        code, (_, gradient, s1, s2) = kernels.OPTIMIZERS[type(spec.optimizer)].address(dtype), self.vectors
        self.update = Update(
            code, gradient, s1, s2, rule.h, rule.l1, rule.l2, rule.clip, 0.0,
            self.pieces, np.empty(len(self.pieces), dtype),
        )  # fmt: skip
        self._make_room(min(batch_size, problem.train.rows))

    def _ordered(self, given: groups.Rows) -> Rows:
        return Rows(*given, np.arange(len(given.X)), self.unmasked)

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
        self.give_way = barrier.give_way_address()

    def _run(self, rows: Rows, *rest: Any) -> None:
        """Have every member of the team do its share."""

        def work(member: int) -> None:
            team = Members(member, self.team.size, self.counters, self.give_way)
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
            batches = (self.rule.batch_size, first + done, at_once, step + done)
            self._run(rows, self.report, update, *batches)

    def _masks(self, batch: int, step: int) -> Array:
        """The masks (rows, units of all layers with dropout) of a batch's step."""
        if not self.table.masks:
            return self.unmasked
        rows = min(self.rule.batch_size, len(self.data.X) - batch * self.rule.batch_size)
        drawn = self.network.masks(rows, self.seed, step)
        return np.concatenate([mask.reshape(rows, -1) for mask in drawn], axis=1)

    def validate(self) -> dict[str, float | None]:
        if self.held is None:
            return {}
        rows, results, scored = self.held
        self._run(rows, results, self.update._replace(pieces=self.pieces[:0]), len(rows.X), 0, 1, 0)
        loss, _ = fused_step.means(results.losses, results.norms)
        return {"validation_loss": loss, **scored(results.outputs)}


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
        size, offset = row[at.WEIGHTS] + row[at.BIASES], row[at.PARAMETERS]
        if row[at.SLOT] >= 0:
            for start in range(0, size, PIECE):
                many = min(PIECE, size - start)
                weights = max(0, min(many, row[at.WEIGHTS] - start))
                found.append((index, offset + start, many, weights, row[at.SLOT] + start, 0))
        elif size:
            inputs, outputs = row[at.INPUTS], row[at.OUTPUTS]
            rows = max(1, PIECE // outputs // WHOLE_TILES) * WHOLE_TILES
            for start in range(0, inputs, rows):
                many = min(rows, inputs - start)
                biases = row[at.BIASES] if start + many == inputs else 0
                found.append((index, offset + start * outputs, many * outputs + biases, many * outputs, start, many))
    return np.array(found, np.int64).reshape(-1, layer_step.PIECE_COLUMNS)
