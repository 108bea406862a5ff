"""Every route of the application, for tests that hold of all of them."""

import re
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

NAMES = {"family": "activation", "name": "relu"}
"""What stands in a path where something by another name is not there to begin with."""


class Call(NamedTuple):
    """A method and a path that lead to a route; the ids in the path are of nothing."""

    method: str
    path: str
    route: RouteContext


def calls(app: FastAPI, under: str = "/") -> list[Call]:
    """One call of every method of every route whose path begins so."""
    found = []
    for route in iter_route_contexts(app.routes):
        path = re.sub(r"\{(\w+)[^}]*\}", lambda found: NAMES.get(found[1], "none"), route.path or "")
        path = path.replace("landscapes/relu", "landscapes/bowl")
        found += [Call(method, path, route) for method in sorted(route.methods or ()) if path.startswith(under)]
    return found
