"""Descents over a model's cost, over HTTP: the course's slides, each one call, held to real jobs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from service.routes.descents import EXAMPLES
from service.work import COSTS
from tests.service.conftest import Stage


def ask(stage: Stage, **body: Any) -> dict[str, Any]:
    response = stage.client.post("/v1/descents", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def weights(stage: Stage) -> dict[str, Any]:
    return {"dataset_id": stage.sample("infant_weight"), "feature": "months", "target": "weight"}


def test_a_job_with_the_settings_of_a_path_ends_at_its_last_point(stage: Stage) -> None:
    """To the bit; as the settings come back, all of them filled in."""
    given = weights(stage)
    descents = [
        {"batch_size": 4, "optimizer": {"kind": "adam", "learning_rate": 0.5}, "seed": 3},
        {"batch_size": "full", "preprocessing": {"scaling": "standard"}},
    ]
    found = ask(stage, **given, descents=descents, epochs=5)
    assert [path["surface"] for path in found["paths"]] == [0, 1]
    for path in found["paths"]:
        fields = {**path["settings"], "epochs": 5, "features": ["months"], "split": {"validation": 0}, "loss": found["loss"]}
        job = stage.job(given["dataset_id"], "weight", "linear_regression", model={"solver": "gradient_descent"}, **fields)
        told = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()
        (layer,) = told["layers"]
        assert path["points"][-1] == [layer["weights"][0][0], layer["bias"][0]]
        in_units = told["coefficients"]
        assert path["coefficients"][-1] == pytest.approx([in_units["weights"][0][0], in_units["bias"][0]], rel=1e-12)
        assert job["latest"]["learning_rate"] == path["learning_rates"][-1]
    assert set(found["formulas"]) == {"costs", "gradients", "coefficients"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_a_slide(stage: Stage, name: str) -> None:
    body = {**EXAMPLES[name]["value"], **weights(stage)}
    found = ask(stage, **body)
    paths, ends = found["paths"], [path["costs"][-1] for path in found["paths"]]
    if name == "batches":  # smaller batches take more steps, are farther on, and do not fall at every step
        assert [len(path["points"]) for path in paths] == [21, 81, 261]
        assert ends[0] > ends[1] > ends[2]
        assert (np.diff(paths[0]["costs"]) < 0).all() and (np.diff(paths[2]["costs"]) > 0).any()
    elif name == "rates":
        assert ends[0] > ends[1] and ends[1] < paths[1]["costs"][0] < ends[2]
    elif name == "scaling":  # the surfaces' lowest costs are one, and what is not scaled has a narrow valley
        assert [surface["scaling"]["kind"] for surface in found["surfaces"]] == ["none", "standard"]
        low = [surface["minimum"] for surface in found["surfaces"]]
        assert low[0]["cost"] == pytest.approx(low[1]["cost"]) == pytest.approx(0.1949535080)
        assert low[0]["coefficients"] == pytest.approx(low[1]["coefficients"])
        assert np.min([surface["costs"] for surface in found["surfaces"]], axis=(1, 2)).min() > 0.19
    else:
        (surface,) = found["surfaces"]
        assert (np.shape(surface["costs"]), surface["b"], surface["minimum"]) == ((1, 40), [8], None)
        assert len(paths[0]["tangents"]) == len(paths[0]["points"])


def test_classes_are_descended_by_their_probability(stage: Stage) -> None:
    body = {"dataset_id": stage.sample("double_moons", rows=100), "feature": "y", "target": "moon"}
    found = ask(stage, **body, epochs=3, resolution=3)
    assert (found["model"]["kind"], found["loss"]["kind"]) == ("logistic_regression", "binary_cross_entropy")
    assert found["classes"] == ["lower", "upper"]
    assert found["paths"][0]["costs"][0] == pytest.approx(np.log(2))
    assert found["surfaces"][0]["minimum"] is not None
    assert r"\lambda" in found["formulas"]["costs"]["formula"]
    free = ask(stage, **body, epochs=3, resolution=3, penalty={"l2": 0})
    assert r"\lambda" not in free["formulas"]["costs"]["formula"]


def test_what_cannot_be_descended_is_pointed_at(stage: Stage) -> None:
    rows = "".join(f"{i},{'' if i == 7 else i},k{i % 3},{'red' if i % 2 else 'blue'},{i * 1.5}\n" for i in range(40))
    dataset = stage.csv("a,gap,three,two,y\n" + rows).json()["id"]
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"feature": "b"}, "/feature", "no column 'b'"),
        ({"target": "b"}, "/target", "no column 'b'"),
        ({"target": "a"}, "/feature", "column 'a' is the target"),
        ({"feature": "three"}, "/feature", "column 'three' is 3 features, each with a weight; choose one"),
        ({"target": "three"}, "/target", "column 'three' holds 3 classes, and two parameters tell two apart"),
        ({"target": "two", "model": "linear_regression"}, "/target", "holds text"),
        ({"feature": "gap"}, "/preprocessing/missing", "set preprocessing.missing to drop"),
        ({"feature": "gap", "descents": [{}, {}]}, "/descents/0/preprocessing/missing", "set preprocessing.missing to drop"),
        ({"penalty": {"l2": 1}}, "/penalty", "penalty means nothing for linear_regression"),
        ({"target": "two", "loss": {"kind": "mse"}}, "/loss", "mse is no loss for logistic_regression"),
        ({"descents": []}, "/descents", "at least 1"),
        ({"descents": [{"batch_size": 0}]}, "/descents/0/batch_size", "greater than or equal to 1"),
        ({"start": [1]}, "/start", "at least 2"),
        ({"epochs": 10_000, "descents": [{"batch_size": 1}]}, "/epochs", "400,000 watched steps"),
    ]
    for change, pointer, said in wrong:
        response = stage.client.post("/v1/descents", json={"dataset_id": dataset, "feature": "a", "target": "y", **change})
        assert response.status_code == 422, f"{change} {response.text}"
        error = response.json()["errors"][0]
        assert (response.status_code, error["pointer"]) == (422, pointer), response.text
        assert said in error["detail"]
    assert stage.client.post("/v1/descents", json={"dataset_id": "ds_x", "feature": "a", "target": "y"}).status_code == 404
    ask(stage, dataset_id=dataset, feature="gap", target="y", descents=[{"preprocessing": {"missing": "drop"}}])
    ask(stage, dataset_id=dataset, feature="two", target="y", resolution=2)  # two categories are one number


def test_the_grid_has_a_price(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_work=21 * COSTS["watched steps"] + 10**6)
    response = stage.client.post("/v1/descents", json={**weights(stage), "resolution": 200})
    assert response.json()["errors"][0]["pointer"] == "/resolution"
