"""Content negotiation (RFC 9110, section 12): which of the offered media types, or codings, a header prefers."""

import math
from collections.abc import Iterable, Sequence

from fastapi import Request
from starlette.exceptions import HTTPException

TABLE_TYPES = ("application/json", "text/csv")
NEGOTIATED = "by_accept"
"""In a request's state where its answer depends on Accept, so that Vary says so."""


def weights(header: str) -> list[tuple[str, float]]:
    """Each value of an Accept… header in lower case, with its weight q in [0, 1]. Other parameters are left out; a weight
    that is no number counts as 1.
    """
    found = []
    for part in header.split(","):
        value, *parameters = (piece.strip() for piece in part.lower().split(";"))
        given = [text.partition("=")[2].strip() for text in parameters if text.partition("=")[0].strip() == "q"]
        if value:
            found.append((value, _weight(given[0]) if given else 1.0))
    return found


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 1.0
    return min(max(weight, 0.0), 1.0) if math.isfinite(weight) else 1.0


def best_type(header: str, offers: Sequence[str]) -> str | None:
    """The offered media type that an Accept header prefers; None where it takes none of them.

    The most specific range that matches an offer gives its weight. Between equal weights the more specific match wins, then
    what the header names first, then the order of the offers.
    """
    ranges = weights(header) or [("*/*", 1.0)]
    ranked = []
    for place, offer in enumerate(offers):
        kind = offer.partition("/")[0]
        for specificity, wanted in ((2, offer), (1, f"{kind}/*"), (0, "*/*")):
            matches = [(weight, -position) for position, (value, weight) in enumerate(ranges) if value == wanted]
            if matches:
                weight, position = max(matches)
                ranked.append((weight, specificity, position, -place))
                break
    best = max(ranked, default=None)
    return offers[-best[3]] if best is not None and best[0] > 0 else None


def best_language(header: str, offers: Sequence[str]) -> str:
    """The offered language that an Accept-Language header prefers, the first where it takes none of them.

    The most specific range that fits an offer gives its weight: pt-BR itself, then pt, then another Portuguese, then *.
    Between equal weights what the header names wins over what it takes by *, then what it names first.
    """
    ranges = [(value, weight, -position) for position, (value, weight) in enumerate(weights(header))]
    ranked = []
    for place, offer in enumerate(offers):
        tag, _, _ = offer.lower().partition("-")
        fits = (offer.lower().__eq__, tag.__eq__, lambda value, tag=tag: value.startswith(f"{tag}-"), "*".__eq__)
        for specificity, fit in zip((3, 2, 1, 0), fits, strict=True):
            matches = [(weight, position) for value, weight, position in ranges if fit(value)]
            if matches:
                weight, position = max(matches)
                ranked.append((weight, specificity > 0, position, -place))
                break
    best = max(ranked, default=None)
    return offers[-best[3]] if best is not None and best[0] > 0 else offers[0]


def best_coding(header: str, offers: Sequence[str]) -> str | None:
    """The offered content coding that an Accept-Encoding header prefers, by the order of the offers between equal weights;
    None where the plain form is as good, or nothing else is taken.
    """
    given = dict(reversed(weights(header)))
    rest = given.get("*", 0.0)
    plain = given.get("identity", 0.0)
    best = max(offers, key=lambda offer: given.get(offer, rest))
    weight = given.get(best, rest)
    return best if weight > 0 and weight >= plain else None


def accepted(request: Request, offers: Iterable[str], remedy: str = "") -> str:
    """The offered media type that the request's Accept prefers, the first where it has none. Raises a 406 that names them."""
    offers = list(offers)
    setattr(request.state, NEGOTIATED, True)
    found = best_type(",".join(request.headers.getlist("accept")), offers)
    if found is None:
        raise HTTPException(406, f"this comes as {', '.join(offers)}; accept one of them{remedy}")
    return found
