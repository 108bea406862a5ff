"""The page in Brazilian Portuguese: its own texts, the API's, and numbers."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

VIEWS = {
    "/datasets": "Dados", "/jobs": "Treinos", "/jobs/new": "Novo treino", "/compare": "Comparar",
    "/models": "Modelos", "/glass": "Rede passo a passo", "/lessons": "Lições",
}  # fmt: skip


def test_every_view_has_a_title_in_portuguese(visit: Callable[..., Page]) -> None:
    page = visit(locale="pt-BR")
    for path, title in VIEWS.items():
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator("html")).to_have_attribute("lang", "pt-BR")


def test_the_api_speaks_the_language_of_the_page(visit: Callable[..., Page], site: Site) -> None:
    """Which the reader chooses, whatever the browser's is; and which is remembered."""
    rows = "".join(f"{n},{n % 2}\n" for n in range(30))
    dataset = site.client.post("/v1/datasets", files={"file": ("parity.csv", f"a,odd\n{rows}")}).json()["id"]
    job = site.done(site.post(dataset, target="odd", task="classification", model={"kind": "perceptron"}, epochs=2))
    page = visit(f"/jobs/{job['id']}")
    expect(page.get_by_text("No line was found that separates the classes")).to_be_visible()
    page.get_by_role("combobox", name="Language").select_option("Português")
    portuguese = page.get_by_text("Não se encontrou uma reta que separe as classes")
    expect(portuguese).to_be_visible()
    page.reload()
    expect(portuguese).to_be_visible()
    page.get_by_role("combobox", name="Idioma").select_option("English")
    expect(page.get_by_text("No line was found that separates the classes")).to_be_visible()


def test_a_form_explains_its_fields_in_portuguese(visit: Callable[..., Page], site: Site) -> None:
    changes = quote(json.dumps({"target": "species", "model": {"kind": "mlp"}, "optimizer": {"kind": "adam"}}))
    page = visit(f"/jobs/new?dataset={site.iris()}&set={changes}", locale="pt-PT")
    expect(page.get_by_text("Dá passos pela média móvel dos gradientes").first).to_be_visible()


def test_numbers_have_a_decimal_comma(visit: Callable[..., Page], trained: dict[str, Any]) -> None:
    page = visit(f"/compare?jobs={trained['id']}", locale="pt-BR")
    loss = trained["best"]["validation_loss"]
    shown = f"{loss:.4g}".replace(".", ",")
    expect(page.get_by_role("group", name="Métricas")).to_contain_text(shown)
