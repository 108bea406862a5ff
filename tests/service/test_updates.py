"""A perceptron's updates over HTTP: page by page, to the weights of its model."""

from collections.abc import Callable
from typing import Any

import pytest

from service.work import COSTS
from tests.service.conftest import Stage


def pages(stage: Stage, job: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        response = stage.client.get(f"/v1/jobs/{job['id']}/updates", params={**query, "offset": len(found)})
        assert response.status_code == 200, response.text
        found += response.json()["items"]
        if len(found) >= response.json()["total"]:
            return found


def test_the_pages_lead_to_the_models_weights(stage: Stage) -> None:
    dataset = stage.sample("double_moons", distance=-4, rows=150)
    job = stage.job(dataset, "moon", "perceptron", epochs=6, record={"checkpoint_every": 3})
    whole = pages(stage, job, limit=30)
    last = stage.client.get(f"/v1/jobs/{job['id']}/weights?epoch=last").json()
    pocket = [update for update in whole if update["is_kept"]][-1]
    (layer,) = last["layers"]
    assert pocket["after"] == [*(weight for (weight,) in layer["weights"]), *layer["bias"]]
    told = last["coefficients"]
    assert pocket["coefficients"] == pytest.approx([*(weight for (weight,) in told["weights"]), *told["bias"]], rel=1e-12)
    series = stage.client.get(f"/v1/jobs/{job['id']}/curves?series=updates").json()["series"]
    assert len(whole) == sum(series["updates"]["value"])
    later = pages(stage, job, epoch="3", limit=1000)
    assert later == [update for update in whole if update["epoch"] > 3]
    rows = stage.client.get(f"/v1/datasets/{dataset}/rows?limit=150").json()["rows"]
    answer = stage.client.get(f"/v1/jobs/{job['id']}/updates?limit=1").json()
    assert (answer["features"], answer["classes"], answer["epoch"]) == (["x", "y"], ["lower", "upper"], 0)
    for update in whole[:20]:
        assert rows[update["row"]][2] == answer["classes"][update["y"] > 0]
        if update["line"]:
            w1, w2, b = update["coefficients"]
            assert [w1 * x + w2 * y + b for x, y in update["line"]] == pytest.approx([0, 0], abs=1e-9)
    assert {"score", "after", "mistakes", "pocket_mistakes", "line"} == set(answer["formulas"])


def test_xor_never_ends_and_its_pocket_has_one_mistake(stage: Stage) -> None:
    job = stage.job(stage.sample("xor"), "y", "perceptron", epochs=30)
    whole = pages(stage, job)
    assert min(update["mistakes"] for update in whole) >= 1
    assert whole[-1]["pocket_mistakes"] == 1


def test_what_cannot_be_shown_says_why(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_work=21 * COSTS["updates"])
    other = stage.job(stage.sample("and"), "y", "logistic_regression", epochs=2)
    response = stage.client.get(f"/v1/jobs/{other['id']}/updates")
    (error,) = response.json()["errors"]
    assert (response.status_code, error["pointer"]) == (422, "/job_id")
    assert "logistic_regression, is no perceptron" in error["detail"] and "perceptron" in error["detail"]
    job = stage.job(stage.sample("xor"), "y", "perceptron", epochs=30)
    for query, pointer in (({}, "/query/limit"), ({"offset": 30, "limit": 1}, "/query/offset")):
        error = stage.client.get(f"/v1/jobs/{job['id']}/updates", params=query).json()["errors"][0]
        assert error["pointer"] == pointer and "a later epoch that is kept" in error["detail"]
    assert stage.client.get(f"/v1/jobs/{job['id']}/updates?epoch=20&limit=5").status_code == 200
    assert "there are those of 2, 10, 20, 30" in stage.client.get(f"/v1/jobs/{job['id']}/updates?epoch=7").json()["detail"]
