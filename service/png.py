"""Arrays of pixels as PNG: one picture, or a contact sheet of many."""

import io

import numpy as np

from engine.errors import TooMuchWork

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
GAP = 2
"""Transparent pixels between the pictures of a sheet."""
MOST_PIXELS = 1 << 22
"""Maximum pixels of a picture or a sheet: some 0.2 seconds of one core."""
LEVEL = 4
"""Level of compression: half the time of the usual one, for a tenth more bytes."""


def bytes_of(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Pixels (n, h, w, c) from `low` to `high` as 0 to 255, what lies beyond as the nearest; where one is NaN, the picture gets
    a channel of transparency.
    """
    if pixels.dtype == np.uint8 and (low, high) == (0, 255):
        return pixels
    levels = (pixels.astype(np.float64) - low) * (255 / (high - low))
    missing = np.isnan(levels)
    found = np.clip(np.rint(np.nan_to_num(levels, nan=0.0)), 0, 255).astype(np.uint8)
    if not missing.any():
        return found
    if found.shape[3] in (1, 3):
        found = np.concatenate([found, np.full((*found.shape[:3], 1), 255, np.uint8)], axis=3)
    found[missing.any(axis=3), -1] = 0
    return found


def picture(pixels: np.ndarray, scale: int) -> bytes:
    """One picture (h, w, c) of bytes, each pixel as a square of `scale` × `scale`."""
    return _png(pixels.repeat(scale, 0).repeat(scale, 1))


def sheet_size(count: int, columns: int, height: int, width: int, scale: int) -> tuple[int, int]:
    """Height and width of a contact sheet."""
    across, down = min(count, columns), -(-count // columns)
    return down * height * scale + (down - 1) * GAP, across * width * scale + (across - 1) * GAP


def sheet(pictures: np.ndarray, there: np.ndarray, columns: int, scale: int) -> bytes:
    """Pictures (n, h, w, c) of bytes side by side, `columns` in a row; those that are not `there` (n,) are transparent."""
    count, height, width, channels = pictures.shape
    is_colored = channels > 2
    canvas = np.zeros((*sheet_size(count, columns, height, width, scale), 4 if is_colored else 2), np.uint8)
    for place in np.flatnonzero(there).tolist():
        top, left = (place // columns) * (height * scale + GAP), (place % columns) * (width * scale + GAP)
        window = canvas[top : top + height * scale, left : left + width * scale]
        window[..., :channels] = pictures[place].repeat(scale, 0).repeat(scale, 1)
        if channels in (1, 3):
            window[..., -1] = 255
    return _png(canvas)


def refuse_large(height: int, width: int, pointer: str, remedy: str) -> None:
    """Raise TooMuchWork, at the pointer, for a picture of more pixels than are drawn."""
    if height * width > MOST_PIXELS:
        detail = f"that is a picture of {width:,} × {height:,} pixels; at most {MOST_PIXELS:,} are drawn, so ask for {remedy}"
        raise TooMuchWork([(pointer, detail)])


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    channels = pixels.shape[2]
    found = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if channels == 1 else pixels), MODES[channels])
    out = io.BytesIO()
    found.save(out, "PNG", compress_level=LEVEL)
    return out.getvalue()
