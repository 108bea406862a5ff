"""Weights and coefficients as they go out: in JSON, or as arrays by name. Knows no HTTP."""

import io
from typing import Any

import numpy as np

from engine.network.network import is_dense
from engine.training.predict import Predictor
from service.schemas.results import CentroidsResource, Coefficients, LayerWeights, Weights
from service.work import refuse_too_much
from store.predictors import PredictorAt
from store.tensors import pack


def weights_of(job_id: str, found: PredictorAt, layer: str | None = None) -> Weights:
    """W (inputs, outputs) and bias of every layer, or of that one, and of what is beside; coefficients of a linear model; of
    k_means its centroids.
    """
    beside = {name: _shown(predictor, layer) for name, predictor in found.beside.items()}
    return Weights(job_id=job_id, epoch=found.epoch, **_shown(found.predictor, layer), **beside)


def refuse_too_many(limit: int, found: PredictorAt, layer: str | None = None) -> None:
    """Raise TooMuchWork, at `/layer`, where they are too many numbers for JSON."""
    numbers = sum(array.size for array in tensors_of(found, layer).values())
    refuse_too_much(limit, "/layer", "name one layer, or take format=safetensors or npz", {"numbers": numbers})


def tensors_of(found: PredictorAt, layer: str | None = None) -> dict[str, np.ndarray]:
    """The same weights as arrays, by layer and name."""
    tensors = _tensors(found.predictor, layer)
    return tensors | {
        f"{beside}.{name}": array for beside, each in found.beside.items() for name, array in _tensors(each, layer).items()
    }


def coefficients_of(predictor: Predictor) -> Coefficients | None:
    """A linear model's coefficients in the data's own units, before any scaling; None of another."""
    found = predictor.coefficients()
    if found is None:
        return None
    W, b = found
    outputs = predictor.target.output_names(W.shape[1])
    return Coefficients(features=predictor.features.names, outputs=outputs, weights=W.tolist(), bias=b.tolist())


def _shown(predictor: Predictor, layer: str | None) -> dict[str, Any]:
    """The layers, or the one, with the names of what goes in and what comes out of the whole; and the coefficients. Of k_means
    the centroids.
    """
    centroids = predictor.centroids()
    if centroids is not None:
        scaled, values = (each.tolist() for each in centroids)
        shown = CentroidsResource(features=predictor.features.names, values=values, scaled=scaled)
        return {"layers": [], "coefficients": None, "centroids": shown}
    found, network = predictor.exported, predictor.network
    names = network.names
    layers = [
        LayerWeights(
            name=name,
            kind=bound.kind,
            inputs=predictor.features.names if name == names[0] and is_dense([bound]) else None,
            outputs=predictor.target.output_names(bound.outputs) if name == names[-1] else None,
            weights=found[name]["weights"].tolist() if is_dense([bound]) else [],
            bias=found[name]["bias"].tolist() if "bias" in found[name] else None,
            arrays=None if is_dense([bound]) else {key: array.tolist() for key, array in found[name].items()},
        )
        for name, bound in zip(names, network.layers, strict=True)
        if name in found and layer in (None, name)
    ]
    return {"layers": layers, "coefficients": coefficients_of(predictor)}


def _tensors(predictor: Predictor, layer: str | None) -> dict[str, np.ndarray]:
    centroids = predictor.centroids()
    if centroids is not None:
        scaled, values = centroids
        return {"centroids": values, "centroids.scaled": scaled}
    return {
        f"{name}.{key}": array
        for name, arrays in predictor.exported.items()
        if layer in (None, name)
        for key, array in arrays.items()
    }


def _npz(tensors: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **tensors)  # type: ignore[arg-type]
    return buffer.getvalue()


ENCODERS = {"npz": _npz, "safetensors": pack}
