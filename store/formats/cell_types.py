"""The look of a cell's text, from which the layout of a file is found out; its meaning is read elsewhere."""

import re
from functools import lru_cache

from store.readings.markers import GAPS as MARKERS
from store.readings.markers import OF_NUMBERS

GAPS = frozenset({word.lower() for word in (*MARKERS, *OF_NUMBERS)} | {"unknown"})
MONEY = "$€£¥₹"
_DIGITS = r"(?:\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)"
NUMBER = re.compile(
    rf"(?:[(~≈≤≥]|[<>]=?)?\s?[+\-−]?\s?(?:[{MONEY}]|[A-Z]{{3}}\s|R\$)?\s?[+\-−]?(?:{_DIGITS}(?:[.,]\d*)?|[.,]\d+)(?:[eE][+\-−]?\d+)?"
    rf"\s?(?:%|‰|[{MONEY}]|°?[A-Za-zµ²³/°]{{1,4}})?\s?[)\-]?"
)
PLAIN = re.compile(r"[+\-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+\-]?\d+)?")
DATE = re.compile(
    r"(?:\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{1,2}[-/ .]{1,2}[A-Za-zäéû]{3,9}\.?[-/ ,.]{1,2}\d{2,4}|"
    r"[A-Za-z]{3,9}\.? \d{1,2},? \d{4})"
    r"(?:[T ,]{1,2}\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp][Mm])?(?:Z|\s?[+-]\d{2}:?\d{2}|\s[A-Z]{3})?)?"
)
TIME = re.compile(r"\d{1,3}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp][Mm])?")
ADDRESS = re.compile(r"(?:https?|ftp)://\S+|\S+@\S+\.\w+|(?:\d{1,3}\.){3}\d{1,3}|(?:www\.)\S+")
BOOLEANS = frozenset({"true", "false", "yes", "no"})
CODE = re.compile(r"[A-Za-z_#][\w\-./]*\d[\w\-./]*|\d[\w\-./]*[A-Za-z_][\w\-./]*")
WORDS = re.compile(r"[^\W\d_].*|[\"'(*#&«“_].*\w.*|\d+\S* +.*[^\W\d].*", re.DOTALL)
ODD = re.compile(r"[;|\t^~]\S|,\S*,|,(?=[^\s\d])|^[,;:|]|[,;:|]$|\d,\d+[,.;]\d*,|\"")
"""Odd characters within words that no quotes enclose: delimiters with no space after them."""
TYPED = frozenset({"number", "date", "time", "boolean", "address"})


@lru_cache(1 << 16)
def type_of(cell: str) -> str:
    """gap, number, date, time, boolean, address, code, words or odd."""
    bare = cell.strip()
    low = bare.lower()
    if low in GAPS:
        return "gap"
    if low in BOOLEANS:
        return "boolean"
    if len(bare) > 200:
        return "words"
    if bare[0].isdigit() or bare[0] in "+-−([<>~≈.,'" or bare[0] in MONEY or bare[-1].isdigit():
        if PLAIN.fullmatch(bare) or NUMBER.fullmatch(bare):
            return "number"
        if TIME.fullmatch(bare):
            return "time"
    elif NUMBER.fullmatch(bare):
        return "number"
    if DATE.fullmatch(bare):
        return "date"
    if ADDRESS.fullmatch(bare):
        return "address"
    if ODD.search(bare):
        return "odd"
    if CODE.fullmatch(bare):
        return "code"
    return "words" if WORDS.fullmatch(bare) else "odd"


def is_name_like_number(cell: str) -> bool:
    """Whether a number may be a column's name: a year, a code, a place in a row."""
    return cell.strip().isdigit()
