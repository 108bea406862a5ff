"""A job, repeated: with other seeds, on shares of its rows, with other values of a setting."""

from typing import Any

import numpy as np
import pytest

from tests.service.conftest import Stage

NET: dict[str, Any] = {"kind": "mlp", "hidden": [{"units": 3}]}


@pytest.fixture
def job(stage: Stage) -> dict[str, Any]:
    return stage.job(stage.iris(), "species", "mlp", model=NET, epochs=3)


def repeated(stage: Stage, job: dict[str, Any], **body: Any) -> dict[str, Any]:
    """The group when all of its jobs are done."""
    answer = stage.client.post(f"/v1/jobs/{job['id']}/repeat", json=body)
    assert answer.status_code == 202, answer.text
    assert not answer.json()["done"]
    for each in answer.json()["jobs"]:
        assert stage.run(each["id"])["state"] == "succeeded"
    group: dict[str, Any] = stage.client.get(answer.headers["Location"]).json()
    assert group["done"]
    return group


def whole(stage: Stage, group: dict[str, Any]) -> list[dict[str, Any]]:
    return [stage.client.get(f"/v1/jobs/{each['id']}").json() for each in group["jobs"]]


def test_seeds_spread_a_result(stage: Stage, job: dict[str, Any]) -> None:
    group = repeated(stage, job, seeds=3)
    made = whole(stage, group)
    assert [(each["kind"], each["parent"], each["group_id"]) for each in made] == [("repeat", job["id"], group["id"])] * 3
    assert [(each["request"]["seed"], each["request"]["split"]["seed"]) for each in made] == [(0, 0), (1, 1), (2, 2)]
    assert made[0]["latest"]["train_loss"] == job["latest"]["train_loss"]
    (tried,) = group["result"]
    for name, found in tried["metrics"].items():
        values = [each["latest"][name] for each in made]
        assert found["mean"] == pytest.approx(np.mean(values))
        assert found["deviation"] == pytest.approx(np.std(values, ddof=1))
        reach = 4.302652729696142 * np.std(values, ddof=1) / np.sqrt(3)  # t(0.975, 2), as tables have it
        assert found["interval"] == pytest.approx([np.mean(values) - reach, np.mean(values) + reach])
    (band,) = stage.client.get(f"/v1/groups/{group['id']}/curves", params={"series": "train_loss"}).json()["bands"]
    assert band["epoch"] == [1, 2, 3]
    assert band["count"] == [3, 3, 3]
    assert band["mean"][-1] == pytest.approx(tried["metrics"]["train_loss"]["mean"])
    assert band["low"][-1] == min(each["latest"]["train_loss"] for each in made)
    assert [each["id"] for each in stage.client.get("/v1/jobs").json()["items"]] == [job["id"]]


SEEDS = ("seed", "weights_seed", "order_seed")
VARIED = {
    "split": [(0, 0, None, None), (1, 0, None, None)],
    "training": [(0, 0, None, None), (0, 1, None, None)],
    "weights": [(0, 0, None, None), (0, 0, 1, None)],
    "order": [(0, 0, None, None), (0, 0, None, 1)],
}
"""By what varies, the seeds of two jobs: of the split, of training, of the first weights, of the order."""


def beginning(stage: Stage, job: dict[str, Any]) -> tuple[Any, list[int], set[int]]:
    """What a job began with: its first weights, the order of its rows, and which these are."""
    weights = stage.client.get(f"/v1/jobs/{job['id']}/weights?epoch=0").json()["layers"]
    rows = stage.client.post("/v1/traces", json={"job_id": job["id"], "epoch": 0}).json()["rows"]
    return weights, rows, set(rows)


@pytest.mark.parametrize("vary", VARIED)
def test_one_kind_of_seed_varies_alone(stage: Stage, vary: str) -> None:
    job = stage.job(stage.iris(), "species", "mlp", model=NET, epochs=1, batch_size=120)
    made = whole(stage, repeated(stage, job, seeds=2, vary=vary))
    asked = [each["request"] for each in made]
    assert [(each["split"]["seed"], *(each.get(name) for name in SEEDS)) for each in asked] == VARIED[vary]
    (weights, order, rows), other = (beginning(stage, each) for each in made)
    assert (weights != other[0]) == (vary in ("training", "weights"))
    assert (order != other[1]) == (vary != "weights")
    assert (rows != other[2]) == (vary == "split")


def test_a_curve_of_learning_keeps_what_validates(stage: Stage, job: dict[str, Any]) -> None:
    group = repeated(stage, job, shares=[0.1, 0.5, 1.0], seeds=1)
    assert [each["value"] for each in group["result"]] == [0.1, 0.5, 1.0]
    rows = [
        [
            stage.client.get(f"/v1/jobs/{each['id']}/evaluation", params={"split": split}).json()["rows"]
            for each in group["jobs"]
        ]
        for split in ("train", "validation")
    ]
    assert rows == [[12, 60, 120], [30, 30, 30]]
    assert whole(stage, group)[-1]["latest"]["train_loss"] == job["latest"]["train_loss"]


def test_a_setting_takes_other_values(stage: Stage, job: dict[str, Any]) -> None:
    group = repeated(stage, job, setting="/optimizer/learning_rate", values=[0.001, 0.1], seeds=2, vary="training")
    rates = [each["request"]["optimizer"]["learning_rate"] for each in whole(stage, group)]
    assert rates == [0.001, 0.001, 0.1, 0.1]
    assert [(each["value"], each["succeeded"]) for each in group["result"]] == [(0.001, 2), (0.1, 2)]
    path = f"/v1/groups/{group['id']}/curves"
    assert len(stage.client.get(path).json()["bands"]) == 2
    for query, status, pointer in (("series=lose", 404, "/query/series"), ("from_epoch=2&to_epoch=1", 422, "/query/to_epoch")):
        answer = stage.client.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"setting": "/optimizer/learning_rate"}, ""),
        ({"setting": "/optimizer/learning_rate", "values": [-1], "seeds": 1}, "/values"),
        ({"setting": "/optimizer", "values": [{"kind": "adam", "rates": 1}], "seeds": 1}, "/values"),
        ({"setting": "/optimizer/rates", "values": [1], "seeds": 1}, "/setting"),
        ({"setting": "/no/such", "values": [1], "seeds": 1}, "/setting"),
        ({"shares": [0.5] * 60, "seeds": 2}, "/seeds"),
        ({"shares": [1.5]}, "/shares/0"),
        ({"vary": "first"}, "/vary"),
    ],
)
def test_what_cannot_be_repeated(stage: Stage, job: dict[str, Any], body: dict[str, Any], pointer: str) -> None:
    answer = stage.client.post(f"/v1/jobs/{job['id']}/repeat", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert stage.client.get("/v1/jobs", params={"kind": "any"}).json()["total"] in (None, 1)


@pytest.mark.parametrize(
    ("kind", "fields", "vary", "said"),
    [
        ("linear_regression", {"model": {"solver": "gradient_descent"}, "epochs": 1}, "weights", "are not drawn"),
        ("linear_regression", {}, "training", "nothing is drawn"),
        ("mlp", {"shuffle": False, "epochs": 1}, "order", "does not shuffle"),
        ("mlp", {"model": {"initializer": "zeros"}, "epochs": 1}, "weights", "are not drawn"),
    ],
)
def test_what_chance_has_no_part_in_does_not_vary(
    stage: Stage, kind: str, fields: dict[str, Any], vary: str, said: str
) -> None:
    job = stage.job(stage.iris(), "petal_width", kind, **fields)
    answer = stage.client.post(f"/v1/jobs/{job['id']}/repeat", json={"vary": vary})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/vary")
    assert said in answer.json()["detail"] and "; vary split" in answer.json()["detail"]
    seeds = {each["request"]["split"]["seed"] for each in whole(stage, repeated(stage, job, seeds=2))}
    assert seeds == {0, 1}  # all that is drawn varies all the same


def test_a_key_starts_one_group(stage: Stage, job: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "ten seeds"}
    first, again = (stage.client.post(f"/v1/jobs/{job['id']}/repeat", json={"seeds": 2}, headers=headers) for _ in range(2))
    assert (again.status_code, again.text, again.headers["location"]) == (202, first.text, first.headers["location"])
    assert len(stage.client.get("/v1/jobs", params={"kind": "repeat"}).json()["items"]) == 2


def test_a_group_is_cancelled_together(stage: Stage, job: dict[str, Any]) -> None:
    group = stage.client.post(f"/v1/jobs/{job['id']}/repeat", json={"seeds": 3}).json()
    answer = stage.client.post(f"/v1/groups/{group['id']}/cancel")
    assert (answer.status_code, answer.json()["done"]) == (202, True)
    assert {each["state"] for each in answer.json()["jobs"]} == {"cancelled"}
    assert stage.client.post(f"/v1/groups/{group['id']}/cancel").status_code == 409
    assert stage.client.get("/v1/groups/grp_none").status_code == 404
