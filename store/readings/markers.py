"""Cells that stand for nothing."""

from engine.tables.features import MISSING

ERRORS = ("#N/A", "#N/A N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "<NA>", "n/a", "NaT", "\\N")
GAPS = (*MISSING, *ERRORS)
"""Gaps in a column of any kind: what spreadsheets, databases and libraries write for nothing."""
OF_NUMBERS = (
    "-", "--", "---", "–", "—", ".", "..", "...", "…", "*", "na", "N.A.", "n.a.", "N/D", "n/d", "n.d.", "NULL.", "nil", "NIL",
    "none", "NONE", "Null", "-nan", "-NaN", "NAN", "1.#QNAN", "1.#IND", "-1.#IND", "missing", "Missing", "MISSING",
)  # fmt: skip
"""Gaps in a column of numbers, dates or yes and no; in a column of words each may be a word, as - is beside +."""
