"""The encoding of text that is not UTF-8, guessed from its letters."""

import codecs
import re

from charset_normalizer import from_bytes

UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
"""Bytes that are no letter in Windows-1252."""
LATIN: dict[str, str] = {
    "windows-1252": "äöüßÄÖÜéèêëàâáíóúñçãõæøåÆØÅÉÈÀÁÍÓÚÑÇïîôùûœŒÂÊÎÔÃÕìòÙªº¿¡",
    "windows-1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽöőüűÖŐÜŰăâîşţĂÂÎŞŢđĐľĽĺŕôÔäÄß",
    "iso-8859-2": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽöőüűÖŐÜŰăâîşţĂÂÎŞŢđĐľĽĺŕôÔäÄß",
    "mac-roman": "äöüßÄÖÜéèêëàâáíóúñçãõæøåÆØÅÉÈÀÁÍÓÚÑÇïîôùûœŒÂÊÎÔÃÕìòÙªº¿¡",
    "windows-1254": "çğıöşüÇĞİÖŞÜâîû",
    "cp850": "äöüßÄÖÜéèêëàâáíóúñçãõæøåÆØÅÉÈÀÁÍÓÚÑÇïîôùûÂÊÎÔÃÕìòÙ",
}
"""Encodings of Latin letters, the commonest first, and the letters that the languages written in them have."""
SIGNS = "€£°²³µ§·×«»“”„–—’‘…•™©®½±´"
WITHIN = re.compile(r"[a-zà-öø-ÿ][A-ZÀ-ÖØ-Þ]|[£§©®±·×•™][^\W\d]|[^\W\d][£§±×•½]|[^\W\d][°²³µ«»“„…©®][^\W\d]")
"""Characters that no language has within its words."""
WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
BETWEEN_DIGITS = re.compile(r"(?<=\d)\u00a0(?=\d)")
LETTER_BETWEEN_DIGITS = re.compile(r"(?<=\d)[^\W\d_](?=\d)")
MOSTLY = 0.6
"""Words of Latin letters have at most that share of letters beyond ASCII."""
RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "euc_kr": ((0xB0, 0xC8),),
    "euc_jp": ((0xA4, 0xA5), (0xB0, 0xCF)),
    "gb18030": ((0xB0, 0xD7),),
    "big5": ((0xA4, 0xC6),),
    "shift_jis": ((0x82, 0x83), (0x88, 0x97)),
}
"""Encodings of two bytes a letter, and the first bytes of their common letters, the fewest first."""
OTHERS = ("windows-1251", "koi8-r", "windows-1253", *RANGES)


def guess(evidence: bytes) -> str:
    """The encoding in which the letters of these bytes make most sense: charset-normalizer says which may be at all, and the
    letters that a language has which of these it is.
    """
    if not evidence:
        return "latin-1"
    known = {_name(encoding): encoding for encoding in (*LATIN, *OTHERS)}
    found = {
        known[match.encoding]: match for match in from_bytes(evidence, cp_isolation=list(known)) if match.encoding in known
    }
    best = min((match.chaos for match in found.values()), default=0.0)
    other = [encoding for encoding in OTHERS if encoding in found and found[encoding].chaos <= best + 0.1]
    wide = max((encoding for encoding in other if encoding in RANGES), key=lambda name: _common(evidence, name), default=None)
    latin = max(LATIN, key=lambda encoding: (_plausible(evidence, encoding), -list(LATIN).index(encoding)))
    plausible = _plausible(evidence, latin)
    words = b"".join(word for word in WORD.findall(evidence) if len(word) > 1)
    if plausible < 0.5 or sum(value > 0x7F for value in words) > MOSTLY * len(words):
        narrow = [encoding for encoding in other if encoding not in RANGES]
        if narrow and (wide is None or _common(evidence, wide) < 0.7):
            return max(narrow, key=lambda name: (found[name].coherence - found[name].chaos, -OTHERS.index(name)))
        if wide is not None:
            return wide
    if latin == "windows-1252" or plausible < 0.5:
        high = {value for value in set(evidence) if 0x80 <= value < 0xA0}
        return "windows-1252" if high and not any(mark[0] in high for mark in UNDEFINED) else "latin-1"
    return latin


def _name(encoding: str) -> str:
    """As charset-normalizer calls it, which is as Python does."""
    return codecs.lookup(encoding).name.replace("-", "_")


def _plausible(evidence: bytes, encoding: str) -> float:
    """The share of letters beyond ASCII that belong to the languages of an encoding."""
    try:
        text = evidence.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    beyond = [letter for letter in text if letter > "\x7f"]
    good = sum(letter in LATIN[encoding] for letter in beyond) + sum(letter in SIGNS for letter in beyond)
    good += len(BETWEEN_DIGITS.findall(text))  # 1 234, as French spreadsheets write it
    odd = [letter for letter in LETTER_BETWEEN_DIGITS.findall(text) if letter > "\x7f"]
    return (good - len(WITHIN.findall(text)) - 2 * len(odd)) / max(1, len(beyond))


def _common(evidence: bytes, encoding: str) -> float:
    """The share of letters that are common in an encoding of two bytes each; of equals, the one that has fewer."""
    firsts: list[int] = []
    place = 0
    while place < len(evidence):
        if evidence[place] < 0x80:
            place += 1
            continue
        firsts.append(evidence[place])
        place += 2
    ranges = RANGES[encoding]
    share = sum(any(low <= first <= high for low, high in ranges) for first in firsts) / max(1, len(firsts))
    return share - 1e-3 * list(RANGES).index(encoding)
