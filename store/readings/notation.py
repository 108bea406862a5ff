"""Numbers as shapes: unit, sign and digits taken apart, and the notations that fit them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from store.readings.column import MINUS, SPACES, ColumnReading, pattern
from store.readings.evidence import Evidence

CURRENCIES = (
    "US$", "R$", "A$", "C$", "NZ$", "HK$", "S$", "$", "€", "£", "¥", "₹", "₽", "₺", "₩", "₪", "₫", "฿", "Fr.", "Rs.", "Rs",
    "kr", "zł", "Kč", "Ft", "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "CNY", "INR", "BRL", "MXN", "SEK", "NOK",
    "DKK", "PLN", "CZK", "HUF", "RUB", "TRY", "ZAR", "KRW", "SGD", "HKD",
)  # fmt: skip
MEASURES = (
    "%", "‰", "°C", "°F", "°", "ppm", "ppb",
    "nm", "µm", "μm", "um", "mm", "cm", "dm", "m", "km", "in", "inch", "inches", "ft", "feet", "yd", "mi", "miles",
    "m²", "m2", "m^2", "km²", "km2", "cm²", "cm2", "ha", "acres", "sqft", "sq ft", "sq. ft.", "sqm", "sq m",
    "m³", "m3", "cm³", "cm3", "cc", "CC", "ml", "mL", "cl", "dl", "l", "L", "gal",
    "µg", "μg", "ug", "mg", "g", "kg", "t", "lb", "lbs", "oz",
    "mg/dl", "mg/dL", "mg/l", "mg/L", "g/l", "g/L", "mmol/l", "mmol/L",
    "ns", "µs", "us", "ms", "s", "sec", "secs", "min", "mins", "h", "hr", "hrs", "hours", "d", "days", "weeks", "months",
    "yr", "yrs", "years", "km/h", "kmh", "kph", "mph", "m/s", "kn", "kt", "kmpl", "km/kg", "mpg", "l/100km", "L/100km",
    "W", "kW", "MW", "GW", "Wh", "kWh", "MWh", "GWh", "kJ", "MJ", "cal", "kcal", "hp", "bhp", "PS",
    "V", "mV", "kV", "mA", "mAh", "Ah", "Ω", "Hz", "kHz", "MHz", "GHz", "dB", "dBm", "rpm", "Nm", "bpm",
    "Pa", "hPa", "kPa", "MPa", "bar", "mbar", "psi", "mmHg",
    "bit", "kbit", "Mbit", "kB", "KB", "MB", "GB", "TB", "Mbps", "kbps", "px", "pt", "pts",
)  # fmt: skip
"""Units that a number keeps; not K, M or B, which may be thousands, millions, billions."""
UNITS = frozenset((*CURRENCIES, *MEASURES))
SPACE = rf"[\t{SPACES}]*"
NUMBER = re.compile(
    rf"(?P<open>\()?{SPACE}(?P<sign>[+{MINUS}])?{SPACE}(?P<before>[^\s\d.,()+\-'\"][^\s\d,()+\-'\"]{{0,3}})?{SPACE}"
    rf"(?P<inner>[+{MINUS}])?(?P<body>(?:[0-9]|\.[0-9])(?:[0-9.,'\u2019{SPACES}]*[0-9])?\.?(?:[eE][+-]?[0-9]+)?)"
    rf"{SPACE}(?P<after>[^\s\d.,()+\-'\"][^\d,()'\"]{{0,11}}?)?{SPACE}(?P<trail>[{MINUS}])?(?P<close>\))?"
)
GROUPED: tuple[tuple[str, str | None], ...] = (
    (".", None), (".", ","), (",", "."), (",", " "), (".", "'"), (".", " "), (",", "'"),
)  # fmt: skip
"""Marks before a fraction and between thousands, as they go together; the likeliest first for each mark before a fraction."""
KINDS: tuple[Literal["integer", "number"], ...] = ("integer", "number")
MARK = re.compile(rf"[.,'\u2019{SPACES}]")
NUMBERS = [re.compile(pattern(ColumnReading("number", decimal, thousands))) for decimal, thousands in GROUPED]
WHOLE = re.compile(r"[+-]?\d+")
LEADING_ZERO = re.compile(r"[+-]?0\d+")


@dataclass(frozen=True)
class Parts:
    """A cell that is a number: its digits and marks with the sign, what stands around them, and whether (3) or 3- is meant."""

    body: str
    unit: str | None
    accounting: bool


@cache
def parts_of(shape: str) -> Parts | None:
    """The shape taken apart; None where it is no number."""
    found = NUMBER.fullmatch(shape)
    if found is None or bool(found["open"]) != bool(found["close"]) or (found["before"] and found["after"]):
        return None
    if (found["sign"] and found["inner"]) or ((found["open"] or found["trail"]) and (found["sign"] or found["inner"])):
        return None
    sign = (found["sign"] or found["inner"] or "").replace("\u2212", "-")
    return Parts(sign + found["body"], found["before"] or found["after"], bool(found["open"] or found["trail"]))


@dataclass(frozen=True)
class Notations:
    """The ways in which a column's cells can be numbers: one for each mark before the fraction that is possible."""

    readings: tuple[ColumnReading, ...]
    marked: bool
    """Whether some cell holds a mark, which tells one from the other."""

    @property
    def decimals(self) -> frozenset[str]:
        return frozenset(reading.decimal for reading in self.readings)


def notations(evidence: Evidence, styles: Iterable[tuple[str, str | None]], any_unit: bool = False) -> Notations | None:
    """The notations that fit all shapes; None where the column holds something else.

    `styles` are marks before the fraction and between thousands, the likeliest first. A unit must be known, or `any_unit`
    be allowed, and be the same in all cells.
    """
    if evidence.wide or not evidence.shapes:
        return None
    return _notations(tuple(evidence.shapes), tuple(styles), any_unit)


@lru_cache(4096)
def _notations(shapes: tuple[str, ...], styles: tuple[tuple[str, str | None], ...], any_unit: bool) -> Notations | None:
    parts = [part for part in map(parts_of, shapes) if part is not None]
    units = {part.unit for part in parts}
    if len(parts) < len(shapes) or len(units) > 1:
        return None
    (unit,) = units
    if unit is not None and unit not in UNITS and not any_unit:
        return None
    accounting, bodies = any(part.accounting for part in parts), [part.body for part in parts]
    found: dict[str, ColumnReading] = {}
    for decimal, thousands in styles:
        for kind in KINDS:
            reading = ColumnReading(kind, decimal, thousands, unit, accounting)
            if decimal not in found and all(map(_written_so(reading).search, bodies)):
                found[decimal] = reading
    marked = any(MARK.search(body) for body in bodies)
    return Notations(tuple(found.values()), marked) if found else None


@cache
def _written_so(reading: ColumnReading) -> re.Pattern[str]:
    return re.compile(pattern(reading))


@cache
def is_number(shape: str) -> bool:
    """Whether a shape is a number in some notation, in a unit that is known."""
    parts = parts_of(shape)
    return (
        parts is not None and (parts.unit is None or parts.unit in UNITS) and any(fits.search(parts.body) for fits in NUMBERS)
    )


def is_whole(evidence: Evidence) -> bool:
    """Whether all cells are whole numbers without any mark."""
    return not evidence.wide and all(map(WHOLE.fullmatch, evidence.shapes))


def leading_zero(evidence: Evidence) -> str | None:
    """The first cell of a column of whole numbers that has a leading zero."""
    if not is_whole(evidence):
        return None
    seen = [seen for shape, seen in evidence.shapes.items() if LEADING_ZERO.fullmatch(shape)]
    return min(seen, key=lambda first: first.row).cell if seen else None
