"""Classes that a line parts, which leave a logistic regression without an optimum."""

from typing import Any

import numpy as np

from engine.backend import to_host
from engine.network.network import Network
from engine.wording import notice, say


def separable(network: Network) -> dict[str, Any]:
    """The warning of classes that a line parts, with how far the weights have grown."""
    length = float(np.sqrt(sum(float((to_host(W).astype(np.float64) ** 2).sum()) for W, _ in network.parameters.weights())))
    detail = say(
        "a line parts the classes in the training rows, so that without a penalty the weights grow without bound: they are "
        "{length:.4g} long, and longer with every epoch. {remedy}",
        length=length,
        remedy=say("Set model.penalty.l2 above 0; 1 is the default"),
    )
    return notice("SEPARABLE", detail)
