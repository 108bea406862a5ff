"""A large network on a team of threads, whose members share each step out (see team_step.py)."""

import numpy as np

from engine.backend import Array
from engine.fast import barrier, gemm, packing, team_step, threads
from engine.fast.epoch import Fast
from engine.fast.groups import NO_BATCHES, Batches, Layers, Strips, Team, Vectors
from engine.fast.jit import addresses, bound

TEAM_OPERATIONS = 4e9
"""Operations of each member in one compiled call, about 40 ms, after which the caller may stop."""


class Large(Fast):
    """On a team of as many threads as a product of matrices may take: this one, and others that wait between calls.

    θ and the optimizer's vectors are kept in strips meanwhile. θ is put back with every epoch, all of it by `settle`.
    """

    def prepare(self) -> None:
        network, dtype, batch = self.network, self.network.dtype, min(self.rule.batch_size, len(self.rows.X))
        most, (pieces, squares) = min(batch, team_step.MOST), packing.pieces(network)
        table, size = packing.table(network, most)
        offsets, transposed_size = packing.transposed_table(network)
        self.threads = threads.Team(min(threads.count(), max(len(pieces), -(-most // gemm.SHARE))))
        members = self.threads.size
        self.stride = max(1, int(members * TEAM_OPERATIONS / (6 * network.parameters.size * batch)))
        counters = np.zeros(barrier.counters_size(members), np.int64)
        self.team = Team(counters, members, barrier.give_way_address(), addresses(gemm.IN_USE, dtype))
        theta, gradient, *slots = self.vectors
        self.stripped = [(vector, packing.room(network)) for vector in (theta, *slots) if vector.size]
        waiting = gradient if most < batch or self.rule.clip < np.inf else gradient[:0]
        kept = [each for _, each in self.stripped] + [vector for vector in slots if not vector.size]
        vectors, layers = Vectors(kept[0], waiting, *kept[1:]), Layers(table, self.codes, self.numbers)
        space, transposed, sums = (packing.zeros(each, dtype) for each in (size, transposed_size, squares))
        self.strips = Strips(offsets, pieces, space, most, packing.height(most), transposed, sums)
        self.arguments = (self.team, self.rows, vectors, self.report, layers, self.strips)
        own = packing.own_size(network)
        self.own = packing.zeros(members * own, dtype).reshape(members, own)
        self.share = bound(team_step.train_share, dtype, 0, *self.arguments, self.own[0], self.rule, NO_BATCHES)
        self.fresh, self.stale = True, False

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        batches = Batches(np.ascontiguousarray(order, np.int64), first, count, rate, step)

        def work(member: int) -> None:
            self.share(member, *self.arguments, self.own[member], self.rule, batches)

        if self.fresh:
            for vector, stripped in self.stripped:
                packing.put(self.network, vector, stripped)
            packing.put_transposed(self.network, self.strips.transposed)
        self.fresh, self.stale, self.team.counters[:] = False, True, 0
        self.threads(work, self._give_up)

    def _give_up(self) -> None:
        self.team.counters[barrier.FAILED] = 1

    def means(self) -> tuple[float, float]:
        self._put_back([] if self.fresh else self.stripped[:1])  # taken up after an epoch's last batch, nothing is in strips
        return super().means()

    def settle(self) -> None:
        self._put_back(self.stripped if self.stale else [])
        self.stale = False

    def _put_back(self, pairs: list[tuple[Array, Array]]) -> None:
        for vector, stripped in pairs:
            packing.put_back(self.network, stripped, vector)
