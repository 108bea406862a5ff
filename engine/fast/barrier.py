# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""How a team of threads works within compiled code: its members take pieces of the work, and meet.

A phase's pieces are shared out in order. A member that has done its own share takes pieces that are left of another's (work
stealing). So timing decides which member does a piece, but nothing else: a piece writes the same, whichever member does it.
"""

import platform
from ctypes import CDLL, c_void_p, cast

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from engine.fast.jit import call, part

SPINS = 4000
"""Looks at the others' counter, some microseconds, before the core is offered to another thread."""
LINE = 8
"""Counters in a line of the cache: each member's own stands on a line of its own."""
MET, FAILED = range(2)
"""The first line: how often members have come to a meeting, and whether one of them never will (then not 0)."""
PAUSE = {"x86_64": "llvm.x86.sse2.pause"}.get(platform.machine())
"""LLVM's name for the hint that a thread is waiting, which leaves the core to its twin."""


def counters_size(members: int) -> int:
    """How many counters a team needs, all 0 before it begins: a line of the whole team's, and two of pieces for each member."""
    return LINE * (1 + 2 * members)


def give_way_address() -> int:
    """The address of the system's call that offers a core to another thread."""
    return cast(CDLL(None).sched_yield, c_void_p).value or 0


@intrinsic
def _add_one(typing, counters, index):
    """counters[index] += 1, seen by every thread. Returns what it was."""

    def generate(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [values[1]]), ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(counters, types.int64), generate


@intrinsic
def _look(typing, counter):
    """counter[0] as the other threads have left it, and a hint that this one is waiting."""

    def generate(context, builder, signature, values):
        address = context.make_array(signature.args[0])(context, builder, values[0]).data
        if PAUSE:
            builder.call(get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), PAUSE), [])
        return builder.load_atomic(address, "seq_cst", 8)

    return types.int64(counter), generate


@part
def open_phase(counters, phase, member, members):
    """Begin a phase, counted from 0: make the other phases' counter of this member's pieces, which nobody looks at now, 0."""
    counters[LINE * (1 + (phase + 1) % 2 * members + member)] = 0


@part
def take(counters, phase, member, members, pieces, helped):
    """The next of so many pieces of a phase, or −1, and how many of the others' shares were looked at, 0 at first."""
    while helped < members:
        owner = (member + helped) % members
        start, end = pieces * owner // members, pieces * (owner + 1) // members
        piece = start + _add_one(counters, LINE * (1 + phase % 2 * members + owner))
        if piece < end:
            return piece, helped
        helped += 1
    return -1, helped


@part
def meet(counters, phase, members, give_way):
    """End a phase: wait until all members have. What they wrote can then be read. Returns the next phase, or −1 where the
    team has failed, after which nothing more may be done.
    """
    if members > 1:
        _add_one(counters, MET)
        looks = 0
        while _look(counters[MET:]) < (phase + 1) * members:
            if _look(counters[FAILED:]):
                return -1
            looks += 1
            if looks > SPINS:
                call(give_way, (0,))
    return phase + 1
