"""Strategies for tests of readings."""

from hypothesis import strategies as st

from store.readings.column import ColumnReading

MARKS = ((".", ","), (",", "."), (",", " "), (".", "'"), (".", None), (",", None))
FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M")
PAIRS = (None, ("no", "yes"), ("nein", "ja"), ("0", "1"), ("2", "1"))


@st.composite
def columns_read(draw: st.DrawFn) -> ColumnReading:
    """A reading of a column."""
    kind = draw(st.sampled_from(["integer", "number", "boolean", "date", "words"]))
    missing = draw(st.sampled_from([(), ("none",), ("0",)]))
    if kind in ("integer", "number"):
        decimal, thousands = draw(st.sampled_from(MARKS))
        unit = draw(st.sampled_from([None, "%", "EUR"]))
        return ColumnReading(kind, decimal, thousands, unit, draw(st.booleans()), missing=missing)
    if kind == "boolean":
        return ColumnReading(kind, words=draw(st.sampled_from(PAIRS)), missing=missing)
    if kind == "date":
        return ColumnReading(kind, format=draw(st.sampled_from(FORMATS)), days=draw(st.booleans()), missing=missing)
    return ColumnReading("words", missing=missing, kept=draw(st.sampled_from([(), ("NA",)])))
