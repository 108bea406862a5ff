"""Clusters: k-means from the form, without a target, to the scatter of its clusters, their evaluation and a prediction."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.test_new_job import field, held, jobs_on
from tests.browser.views import flaws

WITH_TARGET = {"model": "k_means", "target": "species"}
TABS = ["Curves", "Clusters", "Boundary", "Evaluation", "Rows", "Diagnosis", "Replay", "Repeat", "Settings", "Log"]
ON_PETALS = "Clusters: petal_length, petal_width"


def test_clusters_are_found_without_a_target(page: Page, visit: Callable[..., Page], site: Site) -> None:
    dataset_id = site.iris()
    page.goto(f"/jobs/new?dataset={dataset_id}")
    page.get_by_label("What to predict").select_option("species")
    expect(page.get_by_label("Epochs")).to_have_value("100")  # what suits the target has come
    page.get_by_label("Epochs").fill("50")
    page.get_by_label("k-means").check()
    expect(page.get_by_text("Left out, since it means nothing for this model: target")).to_be_visible()
    expect(page.get_by_label("What to predict")).to_have_count(0)
    expect(page.get_by_label("Task")).to_have_text(re.compile(r"Clustering \(by itself\)"))
    expect(page.get_by_role("checkbox", name="species")).to_be_checked()
    page.get_by_label("Compare with").select_option("species")
    expect(page.get_by_role("checkbox", name="species")).to_have_count(0)  # a label is no feature
    field(page, "/model/clusters").fill("3")
    expect(page.get_by_role("complementary", name="What it will be")).to_contain_text("12")  # 3 centroids of 4 numbers
    page.get_by_text("All settings").click()
    field(page, "/record/checkpoint_every").fill("1")
    page.wait_for_function("() => location.search.includes('checkpoint_every')")
    chosen = {
        "model": {"kind": "k_means", "compare_with": "species", "clusters": 3},
        "epochs": 50,
        "record": {"checkpoint_every": 1},
    }
    assert held(page) == chosen
    assert flaws(page) == {}
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile("/jobs/job_"))
    (job,) = jobs_on(site, dataset_id)
    assert site.done(job["id"], 300)["state"] == "succeeded"

    # another like it asks for the same
    page.goto(f"/jobs/new?from={job['id']}")
    expect(field(page, "/model/clusters")).to_have_value("3")
    page.wait_for_function("() => !location.search.includes('from=')")
    assert held(page) == chosen

    page.goto(f"/jobs/{job['id']}")
    tabs = page.get_by_role("navigation", name="Parts of the job")
    expect(tabs.get_by_role("link")).to_have_text(TABS)
    tabs.get_by_role("link", name="Clusters").click()
    expect(page.get_by_role("img", name=ON_PETALS)).to_be_visible()  # along which the centroids lie furthest apart
    expect(page.get_by_role("region", name="Centroids in the data's own units").get_by_role("row")).to_have_count(4)
    with page.expect_download() as kept:
        page.get_by_role("button", name=f"CSV: the numbers of “{ON_PETALS}”").click()
    rows = kept.value.path().read_text().splitlines()
    assert (rows[0], len(rows)) == ("row,petal_length,petal_width,cluster", 151)
    assert flaws(page) == {}
    centroids = page.get_by_role("region", name="Centroids in the data's own units")
    last = centroids.inner_text()
    page.get_by_role("slider", name="Epoch").press("Home")
    expect(page).to_have_url(re.compile("epoch=1"))
    expect(centroids).not_to_have_text(last)
    page.get_by_label("Horizontal axis").select_option("sepal_width")
    expect(page.get_by_role("img", name="Clusters: sepal_width, petal_width")).to_be_visible()

    tabs.get_by_role("link", name="Evaluation").click()
    clusters = page.get_by_role("region", name="Clusters")
    expect(clusters.get_by_role("row")).to_have_count(4)
    expect(clusters).to_contain_text("setosa 50")
    expect(page.get_by_text("Adjusted Rand index")).to_be_visible()
    assert flaws(page) == {}
    tabs.get_by_role("link", name="Boundary").click()
    expect(page.get_by_role("img", name="What the model predicts: sepal_width, sepal_length")).to_be_visible()

    page.goto(f"/models/{site.job(job['id'])['model_id']}")
    expect(page.locator(".predicted")).to_contain_text("Cluster")
    distances = page.get_by_role("table", name="Distance to each centroid, as features are scaled")
    expect(distances.get_by_role("row")).to_have_count(3)

    phone = visit(f"/jobs/{job['id']}?tab=clusters", width=390, locale="pt-BR", color_scheme="dark")
    expect(phone.get_by_role("img", name="Grupos: petal_length, petal_width")).to_be_visible()
    expect(phone.get_by_text("Cor: o grupo da linha")).to_be_visible()


def test_a_target_that_means_nothing_can_be_taken_back(page: Page, site: Site, complaints: Complaints) -> None:
    complaints.expect("422")
    page.goto(f"/jobs/new?dataset={site.iris()}&set={json.dumps(WITH_TARGET)}")
    page.get_by_role("complementary").get_by_role("alert").get_by_role("button", name="target").click()
    target = page.get_by_label("What to predict")
    expect(target).to_be_focused()
    target.select_option("Choose a column")
    expect(target).to_have_count(0)
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()
