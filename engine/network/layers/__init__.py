"""Layers of every kind, one a file: each class that follows LayerRule in a module of this folder is one, and is found here.
Of the engine they import spec, parts and the arrays of a pass.
"""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Union

from engine.forms import ByKind
from engine.network.layers.base import LayerRule


def _found() -> tuple[type[LayerRule], ...]:
    """Every layer, by the names of their files."""
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(
        cls
        for module in modules
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, LayerRule) and cls.__module__ == module.__name__ and hasattr(cls, "kind")
    )


LAYERS = _found()
if TYPE_CHECKING:
    Layer = LayerRule
else:
    Layer = Annotated[Union[LAYERS], ByKind()]  # noqa: UP007 (there is no | of a tuple)
