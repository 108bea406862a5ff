"""The parameter that names an epoch whose weights are wanted, as routes share it."""

from typing import Annotated

from fastapi import Query

from engine.forms import Matching

EPOCH = Matching(r"^(model|last|best|\d{1,9})$", "model, last, best or the number of an epoch")
WHICH = (
    "model: the epoch that the job's model has, which is the best with early stopping and else the last, and while there is no "
    "model the last; last; best; or an epoch of /checkpoints, of which 0 is before training (of a fork, where it began)"
)
AtEpoch = Annotated[str, Query(description=WHICH), EPOCH]
