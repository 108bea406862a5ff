"""Accept and Accept-Encoding: weights, wildcards and what is left out, as RFC 9110 has them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.negotiation import best_coding, best_language, best_type, weights
from tests.service.conftest import Stage

OFFERS = ("application/json", "text/csv")


@pytest.mark.parametrize(("header", "expected"), [
    ("", "application/json"),
    ("*/*", "application/json"),
    ("text/csv", "text/csv"),
    ("TEXT/CSV; charset=utf-8", "text/csv"),
    ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
    ("text/csv;q=0.5, application/json", "application/json"),
    ("text/csv;q=0.5, */*;q=0.1", "text/csv"),
    ("text/*", "text/csv"),
    ("text/csv, application/json", "text/csv"),
    ("application/json, text/csv", "application/json"),
    ("*/*, text/csv", "text/csv"),
    ("*/*, application/json;q=0", "text/csv"),
    ("application/json;q=0, */*;q=0.1", "text/csv"),
    ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
    ("text/csv;q=0", None),
    ("image/png", None),
    ("*/*;q=0", None),
    ("text/csv;q=high", "text/csv"),
])  # fmt: skip
def test_the_preferred_type_is_chosen(header: str, expected: str | None) -> None:
    assert best_type(header, OFFERS) == expected


@pytest.mark.parametrize(("header", "expected"), [
    ("", None),
    ("identity", None),
    ("gzip", "gzip"),
    ("gzip, deflate, br, zstd", "zstd"),
    ("gzip;q=1.0, zstd;q=0.5", "gzip"),
    ("gzip;q=0", None),
    ("gzip;q=0, *", "zstd"),
    ("*;q=0", None),
    ("*", "zstd"),
    ("identity;q=1, gzip;q=0.5", None),
    ("identity;q=0.5, gzip;q=0.5", "gzip"),
    ("br", None),
    ("GZIP", "gzip"),
])  # fmt: skip
def test_the_preferred_coding_is_chosen(header: str, expected: str | None) -> None:
    assert best_coding(header, ("zstd", "gzip")) == expected


@pytest.mark.parametrize(("header", "expected"), [
    ("", "en"),
    ("*", "en"),
    ("pt", "pt-BR"),
    ("pt-BR", "pt-BR"),
    ("PT-br", "pt-BR"),
    ("pt-PT", "pt-BR"),
    ("pt-AO, en;q=0.5", "pt-BR"),
    ("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", "pt-BR"),
    ("en-US,en;q=0.9,pt-BR;q=0.8", "en"),
    ("en;q=0.5, pt;q=0.9", "pt-BR"),
    ("en, pt", "en"),
    ("pt, en", "pt-BR"),
    ("pt, *", "pt-BR"),
    ("*, pt", "pt-BR"),
    ("*;q=0.5, pt;q=0.1", "en"),
    ("en;q=0, *", "pt-BR"),
    ("pt;q=0, *", "en"),
    ("pt;q=0", "en"),
    ("de, fr;q=0.5", "en"),
    ("de, pt;q=0.1", "pt-BR"),
    ("pt-BR;q=0.2, pt;q=0.9, en;q=0.5", "en"),
    ("ptolemaic, en", "en"),
    ("pt;q=high", "pt-BR"),
    (";;, ,", "en"),
])  # fmt: skip
def test_the_preferred_language_is_chosen(header: str, expected: str) -> None:
    assert best_language(header, ("en", "pt-BR")) == expected


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_header_can_be_read(header: str) -> None:
    assert all(0 <= weight <= 1 for _, weight in weights(header))
    assert best_type(header, OFFERS) in (*OFFERS, None)
    assert best_language(header, ("en", "pt-BR")) in ("en", "pt-BR")
    assert best_coding(header, ("zstd", "gzip")) in ("zstd", "gzip", None)


def test_every_route_that_negotiates_refuses_what_it_has_not_and_names_what_it_has(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=2)
    negotiating = {
        f"/v1/datasets/{job['dataset_id']}/rows": ("application/json", "text/csv"),
        f"/v1/jobs/{job['id']}/curves": ("application/json", "text/csv"),
        f"/v1/jobs/{job['id']}/weights": ("application/json", "application/x-npz", "application/vnd.safetensors"),
        f"/v1/jobs/{job['id']}/events": ("text/event-stream", "application/json"),
    }
    for path, offers in negotiating.items():
        refused = stage.client.get(path, headers={"Accept": "image/png, */*;q=0"})
        assert refused.status_code == 406, path
        assert refused.json()["code"] == "NOT_ACCEPTABLE"
        for offer in offers:
            assert offer in refused.json()["detail"]
            answer = stage.client.get(path, headers={"Accept": f"image/png, {offer};q=0.2, */*;q=0.1"})
            assert answer.headers["content-type"].partition(";")[0] == offer
