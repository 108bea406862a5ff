"""A row's features as a model may read them, as an image, and what keeps them from being one."""

import math
from collections.abc import Iterator, Sequence

from engine.network.layers.base import spelled
from engine.tables.features import ColumnSummary
from engine.tables.images import ImageCells, ImageSize, RowShape, image_cells, pixels_in_order
from engine.training.spec import MAX_CATEGORIES, Training

PIXELS = ("numeric", "integer", "boolean")
"""Kinds of columns that may hold a pixel each."""
Problems = Iterator[tuple[str, str]]


def row_shape(training: Training, features: Sequence[ColumnSummary]) -> RowShape:
    """The features of a row: numbers, and the image that they form."""
    augmentation = training.preprocessing.augmentation
    cells = _cells(features)
    if cells is not None:
        size = cells.size
        if augmentation is not None and augmentation.crop is not None:
            size = ImageSize(*augmentation.crop, size.channels)
        return RowShape(math.prod(size), size, is_cell=True, is_image=True)
    most = training.preprocessing.max_categories or MAX_CATEGORIES
    numbers = sum(column.features(most) for column in features)
    has_pixels = all(column.kind in PIXELS for column in features)
    image = pixels_in_order([column.name for column in features]) if has_pixels else None
    return RowShape(numbers, image, is_image=augmentation is not None)


def _cells(features: Sequence[ColumnSummary]) -> ImageCells | None:
    """The images of the features, where they are one column of them."""
    return image_cells(features[0].shape) if len(features) == 1 and features[0].kind == "image" else None


def augmentation_problems(training: Training, features: Sequence[ColumnSummary]) -> Problems:
    augmentation = training.preprocessing.augmentation
    if augmentation is None:
        return
    if not training.model.may_read_images:
        detail = (
            f"augmentation moves the pixels of images, and {training.model.kind} reads rows of numbers; remove it, or choose"
        )
        yield "/preprocessing/augmentation", f"{detail} network, lenet5 or alexnet"
        return
    cells, crop = _cells(features), augmentation.crop
    if crop is not None and cells is None:
        detail = "a crop is cut out of one column of images, and the features are other columns; remove it, or change features"
        yield "/preprocessing/augmentation/crop", detail
    elif crop is not None and cells is not None and (crop[0] > cells.size.height or crop[1] > cells.size.width):
        found = f"is {spelled(crop)}, and the images are {spelled(cells.size[:2])}"
        yield "/preprocessing/augmentation/crop", f"{found}; choose a smaller one"


def image_problems(training: Training, features: Sequence[ColumnSummary]) -> Problems:
    """Reasons why the features are not the image that the completed model reads."""
    image, augmentation = training.model.image, training.preprocessing.augmentation
    if image is None:
        if augmentation is not None:
            detail = "augmentation moves the pixels of images, and the features form none; remove it, choose one column of "
            yield "/preprocessing/augmentation", f"{detail}images, or set model.input_shape"
        return
    for column in features:
        if column.kind == "categorical":
            yield "/features", f"column '{column.name}' holds words, which are no pixels of an image; choose its columns alone"
    if augmentation is not None and augmentation.shift >= min(image.height, image.width):
        detail = f"would move images of {spelled(image[:2])} out of sight; choose less than their smaller side"
        yield "/preprocessing/augmentation/shift", f"a shift of {augmentation.shift} {detail}"
