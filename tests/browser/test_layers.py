"""Networks of layers: put together in the form, with shapes that follow; then the filters and feature maps of the job."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.test_new_job import field, held, jobs_on
from tests.browser.views import flaws


def section(page: Page, heading: str) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name=heading))


def test_layers_are_put_together_and_looked_into(
    page: Page, visit: Callable[..., Page], site: Site, complaints: Complaints
) -> None:
    complaints.expect("422.*validate_only")  # of layers that do not fit until they are moved, if the form asks in between
    dataset_id = site.client.post("/v1/datasets", json={"sample": {"kind": "digits"}}).json()["id"]
    page.goto(f"/jobs/new?dataset={dataset_id}")
    page.get_by_label("What to predict").select_option("digit")
    page.get_by_label("Network of layers").check()
    layers = page.get_by_role("group", name="Layers")
    expect(layers.get_by_text("64 → 16, 1,040 parameters")).to_be_visible()

    # a convolution is added, goes before the dense layer, and its images and numbers of parameters follow
    kind, add = page.get_by_label("Kind of layer"), page.get_by_role("button", name="Add layer")
    kind.select_option("Convolution")
    add.click()
    page.get_by_role("button", name="Move Layer 2: Convolution: drag").press("ArrowUp")
    field(page, "/model/layers/0/filters").fill("4")
    field(page, "/model/layers/0/kernel").fill("3")
    expect(layers.get_by_text("8 × 8 × 1 → 6 × 6 × 4, 40 parameters")).to_be_visible()
    kind.select_option("Max pooling")
    add.click()
    page.get_by_role("button", name="Move Layer 3: Max pooling up").click()
    expect(layers.get_by_text("6 × 6 × 4 → 3 × 3 × 4, 0 parameters")).to_be_visible()
    expect(layers.get_by_text("36 → 16, 592 parameters")).to_be_visible()  # what the pooling leaves, flat
    kind.select_option("Dropout")
    add.click()
    page.get_by_role("button", name="Remove Layer 4: Dropout").click()
    shapes = page.get_by_role("complementary").get_by_role("table")
    expect(shapes.get_by_role("rowheader")).to_have_text(
        ["input", "conv2d_1", "max_pool2d_1", "flatten_1", "dense_1", "output"]
    )
    field(page, "/epochs").fill("2")
    page.wait_for_function("() => location.search.includes('epochs')")
    assert [layer["kind"] for layer in held(page)["model"]["layers"]] == ["conv2d", "max_pool2d", "dense"]
    assert flaws(page) == {}
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile("/jobs/job_"))
    (job,) = jobs_on(site, dataset_id)
    assert site.done(job["id"], 300)["state"] == "succeeded"

    page.goto(f"/jobs/{job['id']}?tab=images&row=5")
    filters = section(page, "Filters of conv2d_1 (3 × 3)")
    expect(filters.get_by_role("img")).to_have_count(4)
    maps = section(page, "What conv2d_1 answers (6 × 6)")
    expect(maps.get_by_role("img")).to_have_count(4)
    assert flaws(page) == {}
    scale = maps.get_by_text("all on one scale")
    before = scale.inner_text()
    page.get_by_role("button", name="The next image").click()
    expect(page.get_by_label("Row of the dataset")).to_have_value("6")
    expect(scale).not_to_have_text(before)
    before = scale.inner_text()
    page.get_by_role("slider", name="Epoch").press("Home")
    expect(scale).not_to_have_text(before)  # before training, the same image has other maps
    page.get_by_label("Layer", exact=True).select_option("max_pool2d_1")
    expect(section(page, "What max_pool2d_1 answers (3 × 3)").get_by_role("img")).to_have_count(4)

    # the rows that it gets wrong are pictures, each with what it is and what it was taken for
    page.goto(f"/jobs/{job['id']}?tab=rows&only=wrong")
    query = {"only": "wrong", "split": "validation", "limit": "30"}
    wrong = site.client.get(f"/v1/jobs/{job['id']}/predictions", params=query).json()["items"]
    names = [f"Image of row {each['row']:,}: {each['target']} taken for {each['prediction']}" for each in wrong]
    pictures = page.get_by_role("button", name=re.compile("^Image of row"))
    expect(pictures).to_have_count(len(names))
    assert [picture.get_attribute("aria-label") for picture in pictures.all()] == names

    # a network of more than dense layers is not drawn unit by unit
    page.get_by_role("navigation", name="Parts of the job").get_by_role("link", name="Network").click()
    expect(page.get_by_role("cell", name="3 × 3 × 1 × 4")).to_be_visible()
    expect(page.get_by_role("link", name="Step through the network")).to_have_count(0)
    page.goto(f"/glass/network?job={job['id']}")
    expect(page.get_by_text("This network is more than dense layers")).to_be_visible()

    phone = visit(f"/jobs/{job['id']}?tab=images", width=390, locale="pt-BR", color_scheme="dark")
    expect(section(phone, "Filtros de conv2d_1 (3 × 3)").get_by_role("img")).to_have_count(4)
