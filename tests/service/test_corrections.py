"""Kinds corrected over HTTP: statistics made anew, what does not fit refused, what was trained left as it was."""

import pytest

from tests.service.conftest import Stage
from worker.training import run

ROWS = [f"{8001 + n // 2 % 3},{'yes' if n % 2 else 'no'},{n % 2},{'abcd'[n % 4]},{n + 0.5}" for n in range(40)]
TABLE = "\n".join(["zip,road,score,note,y", *ROWS, ""])


def correct(stage: Stage, dataset_id: str, status: int = 200, **kinds: str) -> dict:
    body = {"columns": [{"name": name, "kind": kind} for name, kind in kinds.items()]}
    response = stage.client.patch(f"/v1/datasets/{dataset_id}", json=body)
    assert response.status_code == status, response.text
    return response.json()


def test_a_code_becomes_categories_and_is_trained_as_such(stage: Stage) -> None:
    dataset_id = stage.csv(TABLE).json()["id"]
    before = stage.client.get(f"/v1/datasets/{dataset_id}").json()
    zipped = correct(stage, dataset_id, zip="categorical")["columns"][0]
    assert (zipped["kind"], zipped["mean"], zipped["distinct"]) == ("categorical", None, 3)
    assert zipped["top"][0] == {"value": "8001", "count": 14}
    got = stage.client.get(f"/v1/datasets/{dataset_id}").json()
    assert got["columns"][0] == zipped
    assert got["columns"][1:] == before["columns"][1:]
    job = stage.job(dataset_id, "y", "linear_regression", features=["zip"])
    coefficients = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
    assert coefficients["features"] == ["zip=8001", "zip=8002", "zip=8003"]
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert (model["inputs"][0]["kind"], model["inputs"][0]["categories"]) == ("categorical", ["8001", "8002", "8003"])
    body = {"records": [{"zip": "8001"}, {"zip": 8001}, {"zip": 8001.0}]}
    found = stage.client.post(f"/v1/models/{job['model_id']}/predict", json=body).json()["predictions"]
    assert found[0] == found[1] == found[2]
    assert correct(stage, dataset_id, zip="integer")["columns"] == before["columns"]


def test_a_name_of_its_own(stage: Stage) -> None:
    dataset_id = stage.iris()
    named = stage.client.patch(f"/v1/datasets/{dataset_id}", json={"name": "flowers"}).json()
    assert named["name"] == "flowers"
    assert stage.client.get(f"/v1/datasets/{dataset_id}").json() == named
    for name in ("", "x" * 201, 3):
        assert stage.client.patch(f"/v1/datasets/{dataset_id}", json={"name": name}).status_code == 422


def test_what_does_not_fit_is_refused_with_its_row_and_nothing_changes(stage: Stage) -> None:
    dataset_id = stage.csv(TABLE).json()["id"]
    before = stage.client.get(f"/v1/datasets/{dataset_id}").json()
    problem = correct(stage, dataset_id, 422, road="text", note="numeric", zip="boolean", y="integer")
    assert problem["code"] == "COLUMN_MISFIT"
    assert [error["pointer"] for error in problem["errors"]] == ["/columns/1/kind", "/columns/2/kind", "/columns/3/kind"]
    details = [error["detail"] for error in problem["errors"]]
    assert "row 0 holds 'a', which is no number" in details[0]
    assert "row 0 holds '8001', which is no yes or no" in details[1]
    assert "row 0 holds '0.5', which is no whole number" in details[2]
    assert stage.client.get(f"/v1/datasets/{dataset_id}").json() == before


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"columns": [{"name": "nope", "kind": "text"}]}, 404, "/columns/0/name"),
        ({"columns": [{"name": "y", "kind": "date"}]}, 422, "/columns/0/kind"),
        ({"columns": [{"name": "y"}]}, 422, "/columns/0/kind"),
        ({"columns": [{"name": "y", "kind": "text"}, {"name": "y", "kind": "numeric"}]}, 422, "/columns/1/name"),
        ({"kinds": {}}, 422, "/kinds"),
    ],
)
def test_a_bad_correction_points_at_what_is_wrong(stage: Stage, body: dict, status: int, pointer: str) -> None:
    response = stage.client.patch(f"/v1/datasets/{stage.csv(TABLE).json()['id']}", json=body)
    assert response.status_code == status
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert stage.client.patch("/v1/datasets/ds_none", json={"name": "x"}).status_code == 404


def test_while_a_job_reads_it_a_dataset_stays_as_it_is(stage: Stage) -> None:
    dataset_id = stage.csv(TABLE).json()["id"]
    body = {"dataset_id": dataset_id, "target": "y", "features": ["zip"], "model": {"kind": "linear_regression"}}
    job = stage.client.post("/v1/jobs", json=body).json()
    assert job["id"] in correct(stage, dataset_id, 409, zip="categorical")["detail"]
    run(stage.place, job["id"])
    correct(stage, dataset_id, zip="categorical")


def test_what_was_trained_before_keeps_its_kinds(stage: Stage) -> None:
    dataset_id = stage.csv(TABLE).json()["id"]
    job = stage.job(dataset_id, "score", "logistic_regression", features=["zip", "road"], split={"validation": 0.2})
    url, model = f"/v1/jobs/{job['id']}/evaluation", stage.client.get(f"/v1/models/{job['model_id']}").json()
    before = stage.client.get(url).json()
    correct(stage, dataset_id, zip="categorical", road="text", score="categorical")
    assert stage.client.get(url).json() == before
    assert stage.client.get(f"/v1/models/{job['model_id']}").json() == model


def test_a_leak_is_told_before_during_and_after(stage: Stage) -> None:
    """By query, when only validating, and in the job from its first moment to its last."""
    dataset_id = stage.csv(TABLE).json()["id"]
    found = stage.client.get(f"/v1/datasets/{dataset_id}/warnings", params={"target": "score"}).json()["items"]
    assert [entry["column"] for entry in found if entry["code"] == "TARGET_LEAK"] == ["road", "note"]
    body = {"dataset_id": dataset_id, "target": "score", "features": ["road", "y"], "model": {"kind": "logistic_regression"}}
    estimate = stage.client.post("/v1/jobs", json=body, params={"validate_only": True}).json()
    assert [entry["code"] for entry in estimate["warnings"]] == ["TARGET_LEAK"]
    job = stage.client.post("/v1/jobs", json=body).json()
    assert job["warnings"] == estimate["warnings"]
    run(stage.place, job["id"])
    done = stage.client.get(f"/v1/jobs/{job['id']}").json()
    assert done["state"] == "succeeded"
    assert done["warnings"][:1] == estimate["warnings"]
    plain = stage.client.get(f"/v1/datasets/{dataset_id}/warnings").json()["items"]
    assert plain == stage.client.get(f"/v1/datasets/{dataset_id}").json()["warnings"]
    missing = stage.client.get(f"/v1/datasets/{dataset_id}/warnings", params={"target": "nope"})
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (404, "/query/target")
