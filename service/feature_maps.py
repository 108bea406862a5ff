"""Filters and feature maps as they go out: as numbers, or as pictures. Knows no HTTP."""

from typing import Any

import numpy as np

from engine.backend import Array
from engine.errors import InvalidSpec, UnusableData
from engine.glass.feature_maps import INPUT, FeatureMaps, Filters, extent, feature_maps, filters
from engine.network.layers.base import IDENTITY
from engine.network.network import Network
from service import png
from service.schemas.feature_maps import ActivationResource, FeatureMapsResource, FiltersResource
from service.work import refuse_too_much
from store.datasets import JobTable
from store.predictors import PredictorAt

AS_PNG = "ask for image/png"
COLORS = 3
"""Channels that are drawn as red, green and blue."""


def filters_at(found: PredictorAt, layer: str | None) -> Filters:
    """The filters of a job's model. Raises InvalidSpec at `/layer` or `/job_id`."""
    return filters(_network_of(found), layer)


def maps_at(limit: int, found: PredictorAt, table: JobTable, row: int, layer: str | None) -> FeatureMaps:
    """What a layer of a job's model answers to the image in a row of its table.

    Raises InvalidSpec at `/layer`, `/row` or `/job_id`, and TooMuchWork at `/row`.
    """
    features, network = found.predictor.features, _network_of(found)
    rows = table.table.height
    if row >= rows:
        raise InvalidSpec([("/row", f"there is no row {row}; the job's dataset has {rows} rows, from 0 on")])
    counts = {"products": network.products, "cells": features.width}
    refuse_too_much(limit, "/row", "whoever runs the server can raise the limit", counts)
    names = [entry.name for entry in features.inputs]
    try:
        X = features.transform(table.taken(names, np.array([row])), network.dtype)
    except UnusableData:
        raise InvalidSpec([("/row", f"row {row} has no whole image: a cell of it is missing; choose another")]) from None
    return feature_maps(network, X, layer)


def shown_filters(limit: int, job_id: str, found: PredictorAt, chosen: Filters) -> FiltersResource:
    """The filters as numbers. Raises TooMuchWork at `/layer`."""
    refuse_too_much(limit, "/layer", AS_PNG, {"numbers": chosen.weights.size})
    low, high = extent(chosen.weights, around_zero=True)
    return FiltersResource(
        **_told(job_id, found, chosen),
        low=low,
        high=high,
        shape=list(chosen.weights.shape),
        weights=chosen.weights.tolist(),
        bias=None if chosen.bias is None else chosen.bias.tolist(),
        reads=None if chosen.reads.all() else [np.flatnonzero(each).tolist() for each in chosen.reads.T],
    )


def shown_maps(limit: int, job_id: str, found: PredictorAt, row: int, chosen: FeatureMaps) -> FeatureMapsResource:
    """The maps as numbers. Raises TooMuchWork at `/layer`."""
    numbers = chosen.maps.size * (1 if chosen.sums is None else 2)
    refuse_too_much(limit, "/layer", AS_PNG, {"numbers": numbers})
    low, high = extent(chosen.maps)
    return FeatureMapsResource(
        **_told(job_id, found, chosen),
        low=low,
        high=high,
        row=row,
        shape=list(chosen.maps.shape),
        maps=chosen.maps.tolist(),
        sums=None if chosen.sums is None else chosen.sums.tolist(),
    )


def picture_of_filters(chosen: Filters, columns: int, scale: int) -> bytes:
    """A PNG on which 0 is grey: filters that read an image of three channels in color, `columns` side by side; of any others
    a line a filter, with a picture for each channel that it reads. Raises TooMuchWork at `/scale`.
    """
    weights = chosen.weights
    height, width, channels, count = weights.shape
    if chosen.sees_image and channels == COLORS and chosen.reads.all():
        pictures, there = np.moveaxis(weights, -1, 0), np.ones(count, bool)
    else:
        pictures = np.moveaxis(weights, (3, 2), (0, 1)).reshape(count * channels, height, width, 1)
        there, columns = chosen.reads.T.reshape(-1), columns if channels == 1 else channels
    return _sheet(pictures, there, columns, scale, extent(weights, around_zero=True))


def picture_of_maps(chosen: FeatureMaps, columns: int, scale: int) -> bytes:
    """A PNG with a picture a map, `columns` side by side, all on one scale; of the image itself in color where it has any.
    Raises TooMuchWork at `/scale`.
    """
    pictures = np.moveaxis(chosen.maps, -1, 0)[..., None]
    if chosen.layer is None and len(pictures) == COLORS:
        pictures = chosen.maps[None]
    return _sheet(pictures, np.ones(len(pictures), bool), columns, scale, extent(chosen.maps))


def _network_of(found: PredictorAt) -> Network:
    try:
        return found.predictor.network
    except InvalidSpec as error:
        raise InvalidSpec([("/job_id", detail) for _, detail in error.errors]) from None


def _told(job_id: str, found: PredictorAt, chosen: Filters | FeatureMaps) -> dict[str, Any]:
    """What is said of a layer, and of where it is from."""
    told: dict[str, Any] = {"job_id": job_id, "epoch": found.epoch, "layer": chosen.name, "layers": chosen.layers}
    layer = chosen.layer
    if layer is None:
        return told | {"kind": INPUT, "formula": None, "source": None, "activation": None}
    function = layer.activation
    bends = None if function == IDENTITY else ActivationResource(kind=function.kind, formula=function.formula)
    return told | {"kind": layer.kind, "formula": layer.rule.formula, "source": layer.rule.source, "activation": bends}


def _sheet(pictures: Array, there: Array, columns: int, scale: int, drawn: tuple[float, float]) -> bytes:
    size = png.sheet_size(len(pictures), columns, pictures.shape[1], pictures.shape[2], scale)
    png.refuse_large(*size, "/scale", "a smaller scale")
    return png.sheet(png.bytes_of(pictures, *drawn), there, columns, scale)
