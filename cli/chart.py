"""A line chart in the terminal, drawn in Braille dots: two by four to a character."""

from collections.abc import Mapping, Sequence

from rich.text import Text

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a Braille character, by row and column."""
Line = tuple[str, Sequence[float]]


def chart(lines: Mapping[str, Line], columns: int = 64, rows: int = 12) -> Text:
    """Lines by name, each a color and its values, from left to right over the same steps, on one scale from 0."""
    top = max((max(values) for _, values in lines.values() if values), default=1.0) or 1.0
    steps = max((len(values) for _, values in lines.values()), default=0)
    bits = [[0] * columns for _ in range(rows)]
    colors = [[""] * columns for _ in range(rows)]
    for color, values in lines.values():
        for x in range(columns * 2 if values else 0):
            value = _at(values, x / (columns * 2 - 1) * (steps - 1))
            y = round((1 - min(1.0, value / top)) * (rows * 4 - 1))
            bits[y // 4][x // 2] |= DOTS[y % 4][x % 2]
            colors[y // 4][x // 2] = color
    text = Text()
    for row in range(rows):
        label = f"{top:8.3f}" if row == 0 else (f"{0:8.3f}" if row == rows - 1 else " " * 8)
        text.append(f"{label} │", "dim")
        for column in range(columns):
            text.append(chr(0x2800 + bits[row][column]), colors[row][column])
        text.append("\n")
    text.append(" " * 9 + "└" + "─" * columns + f"\n{'epoch 1':>17}{steps:>{columns - 7}}\n", "dim")
    for name, (color, values) in lines.items():
        text.append(f"{'':10}━━ {name} {values[-1]:.4f}  " if values else "", color)
    return text


def _at(values: Sequence[float], place: float) -> float:
    """The value at a place between two steps, on the straight line that joins them."""
    before = min(int(place), len(values) - 1)
    after = min(before + 1, len(values) - 1)
    return values[before] + (values[after] - values[before]) * (place - before)
