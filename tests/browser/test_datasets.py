"""A file becomes a dataset, is looked at, corrected, and leads to a new job."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import Complaints, Site

ROWS = "\n".join(f"{n},{n * n % 17},{('red', 'green', 'blue')[n % 3]}" for n in range(60))


def csv(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the page, as from a folder."""
    transfer = page.evaluate_handle(
        "([name, text]) => { const all = new DataTransfer(); all.items.add(new File([text], name)); return all; }", [name, text]
    )
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": transfer})


def test_a_dropped_file_is_seen_corrected_and_leads_to_a_job(page: Page) -> None:
    page.goto("/datasets")
    drop(page, "paints.csv", f"n,square,colour\n{ROWS}\nunknown,1,red\n")
    expect(page.get_by_role("heading", level=1)).to_have_text("paints.csv")
    expect(page.get_by_role("row", name=re.compile("square"))).to_contain_text("16")
    expect(page.get_by_role("img", name="How square is spread")).to_be_visible()
    expect(page.get_by_label("Kind of n")).to_have_value("text")
    page.get_by_role("button", name=re.compile("Read again.*unknown")).click()
    expect(page.get_by_label("Kind of n")).to_have_value("integer")

    page.get_by_role("link", name="Reading").click()
    page.get_by_label("First row names the columns").select_option("false")
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("columnheader").first).to_contain_text("column_0")
    expect(page.get_by_text("62 rows, 3 columns")).to_be_visible()
    page.get_by_role("button", name="Undo changes").click()
    expect(preview.get_by_role("columnheader").first).to_contain_text("n")

    page.get_by_role("link", name="Rows").click()
    expect(page.get_by_role("row", name=re.compile("^59 59"))).to_be_visible()
    page.get_by_role("link", name="Train a model").click()
    expect(page).to_have_url(re.compile(r"/jobs/new\?dataset=ds_"))


def test_several_files_and_one_that_cannot_be_read(page: Page, complaints: Complaints) -> None:
    complaints.expect("422")
    page.goto("/datasets")
    page.locator("input[type=file]").set_input_files([csv("first.csv", f"a,b,c\n{ROWS}\n"), csv("broken.csv", "a,b\n1,2\n3\n")])
    page.get_by_role("button", name="A dataset each").click()
    uploads = page.get_by_role("list", name="Uploads")
    expect(uploads.get_by_role("link", name="Open first.csv")).to_be_visible()
    expect(uploads).to_contain_text("line 3 has 1 cells")
    expect(page.get_by_role("row", name=re.compile("first.csv"))).to_be_visible()
    page.get_by_role("button", name="Delete first.csv").click()
    page.get_by_role("button", name="Delete", exact=True).last.click()
    expect(page.get_by_role("row", name=re.compile("first.csv"))).to_have_count(0)


def test_an_upload_that_a_reload_cut_off_goes_on(page: Page, complaints: Complaints, tmp_path: Path) -> None:
    complaints.expect("ERR_FAILED")
    file = tmp_path / "long.csv"
    file.write_text("n,words\n" + "".join(f"{n},{'word ' * 400}\n" for n in range(2700)))
    pieces: list[str] = []

    def none_but_the_first(route: Route) -> None:
        if route.request.method == "PATCH":
            pieces.append(route.request.headers["upload-offset"])
        if route.request.method == "PATCH" and len(pieces) > 1:
            route.abort()
        else:
            route.continue_()

    page.goto("/datasets")
    page.route("**/v1/uploads/**", none_but_the_first)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("Connection lost; trying again…")).to_be_visible()
    page.reload()
    expect(page.get_by_text("The upload of “long.csv” stopped at 4.19 MB")).to_be_visible()
    page.unroute("**/v1/uploads/**")
    with page.expect_request(lambda asked: asked.method == "PATCH") as sent:
        page.locator("input[type=file]").set_input_files(file)
    assert sent.value.headers["upload-offset"] == str(4 * 2**20)
    expect(page.get_by_role("heading", level=1)).to_have_text("long.csv")
    expect(page.get_by_text("2,700 rows")).to_be_visible()


def test_a_sample_shows_images_correlations_and_points_on_a_phone(visit: Callable[..., Page], site: Site) -> None:
    digits = site.client.post("/v1/samples", json={"sample": {"kind": "digits"}}).json()["id"]
    page = visit(f"/datasets/{digits}?tab=images", width=390)
    sheet = page.get_by_role("img", name=re.compile("Images of rows 0 to"))
    expect(sheet).to_be_visible()
    assert sheet.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_role("button", name="Row 3, digit: 3").click()
    expect(page.get_by_role("dialog", name="Image of row 3")).to_contain_text("digit")
    page.keyboard.press("Escape")
    page.goto(f"/datasets/{digits}?tab=correlations")
    page.get_by_role("img", name="Correlations").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text(re.compile("pixel_0_0 × pixel_0_3"))).to_be_visible()
    with page.expect_download() as kept:
        page.get_by_role("button", name="CSV: the numbers of “Correlations”").click()
    assert Path(kept.value.path()).read_text().count("\n") == 66
    page.goto(f"/datasets/{digits}?tab=scatter&x=pixel_0_3&y=pixel_0_4&by=digit")
    expect(page.get_by_role("img", name="pixel_0_4 over pixel_0_3")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
