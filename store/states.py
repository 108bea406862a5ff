"""The states of a job, and which may follow which."""

LEGAL: dict[str, frozenset[str]] = {
    "queued": frozenset({"running", "cancelled", "failed"}),
    "running": frozenset({"succeeded", "failed", "cancelling", "pausing", "queued"}),
    "pausing": frozenset({"paused", "succeeded", "failed", "cancelling"}),
    "paused": frozenset({"queued", "cancelled"}),
    "cancelling": frozenset({"cancelled", "failed"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""From each state to those that may follow."""
STATES = tuple(LEGAL)
HELD = ("running", "pausing", "cancelling")
"""States in which a worker holds the job's lease."""
DONE = tuple(state for state, following in LEGAL.items() if not following)
ACTIVE = tuple(state for state in STATES if state not in DONE)
"""States in which a job still needs its dataset."""
BY_CALLER = {"cancelled": "cancelled by the caller", "paused": "paused by the caller"}
"""The reason that the journal gives for a state that the caller asked for."""
