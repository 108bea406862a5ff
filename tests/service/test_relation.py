"""Two columns of a dataset beside each other, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.service.conftest import Stage


def relation(stage: Stage, dataset_id: str, **query: Any) -> dict[str, Any]:
    response = stage.client.get(f"/v1/datasets/{dataset_id}/relation", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_lines_are_those_of_a_linear_regression_and_the_correlation_is_the_matrixs(stage: Stage) -> None:
    dataset = stage.sample("infant_weight")
    found = relation(stage, dataset, x="months", y="weight")
    assert (found["rows"], found["missing"], found["points"]["left_out"], found["warnings"]) == (13, 0, 0, [])
    for line, by, target in (("y_on_x", "months", "weight"), ("x_on_y", "weight", "months")):
        job = stage.job(dataset, target, "linear_regression", features=[by])
        weights = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
        assert (found[line]["predicts"], found[line]["by"]) == (target, by)
        assert found[line]["slope"] == pytest.approx(weights["weights"][0][0], rel=1e-15)
        assert found[line]["intercept"] == pytest.approx(weights["bias"][0], rel=1e-15)
        assert found[line]["r2"] == pytest.approx(job["latest"]["train_r2"])
    matrix = stage.client.get(f"/v1/datasets/{dataset}/correlations").json()["matrix"]
    assert found["rho"] == pytest.approx(matrix[0][1], rel=1e-15)
    rows = stage.client.get(f"/v1/datasets/{dataset}/rows").json()["rows"]
    assert [list(pair) for pair in zip(found["points"]["x"], found["points"]["y"], strict=True)] == rows
    told = {*found["x"], *found["y_on_x"], "rho"} - {"column", "missing", "predicts", "by"}
    assert told == set(found["formulas"])


def test_missing_cells_are_told_and_few_points_stand_for_many(stage: Stage) -> None:
    rows = "".join(f"{'' if i % 10 == 3 else i},{'' if i % 7 == 0 else i * i},{i % 2 == 1}\n" for i in range(1, 201))
    dataset = stage.csv("a,b,odd\n" + rows).json()["id"]
    found = relation(stage, dataset, x="a", y="b", points=20)
    gone = {i - 1 for i in range(1, 201) if i % 10 == 3 or i % 7 == 0}
    assert (found["x"]["missing"], found["y"]["missing"]) == (20, 28)
    assert (found["rows"], found["missing"]) == (200 - len(gone), len(gone))
    points = found["points"]
    assert len(points["rows"]) + points["left_out"] == found["rows"]
    assert len(points["rows"]) < 30 and not gone & set(points["rows"])
    assert [row + 1 for row in points["rows"]] == points["x"]
    assert len(found["y_on_x"]["residuals"]) == len(found["x_on_y"]["distances"]) == len(points["rows"])
    assert relation(stage, dataset, x="odd", y="a")["y_on_x"]["predicts"] == "a"  # yes and no count as 1 and 0


def test_what_cannot_be_related_says_why(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_work=4 * 10**6)
    dataset = stage.csv("a,b,c,same\n1,,x,5\n,2,y,5\n2,,z,5\n4,,z,5\n").json()["id"]
    wrong = [
        ({"x": "a", "y": "c"}, 422, "/query/y", "column 'c' holds no numbers; choose among a, b, same"),
        ({"x": "d", "y": "a"}, 404, "/query/x", "no column 'd'"),
        ({"x": "a", "y": "a"}, 422, "/query/y", "x and y are both 'a'; choose two columns"),
        ({"x": "a", "y": "b"}, 422, "/query/y", "no row holds a number of 'a' and one of 'b'"),
        ({"x": "a", "y": "same", "points": 1}, 422, "/query/points", "greater than or equal to 2"),
        ({"x": "a"}, 422, "/query/y", "this field is needed"),
    ]
    for query, status, pointer, said in wrong:
        response = stage.client.get(f"/v1/datasets/{dataset}/relation", params=query)
        (error,) = response.json()["errors"]
        assert (response.status_code, error["pointer"]) == (status, pointer), response.text
        assert said in error["detail"]
    headers = {"Accept-Language": "pt-BR"}
    found = stage.client.get(f"/v1/datasets/{dataset}/relation", params={"x": "a", "y": "same"}, headers=headers).json()
    assert (found["rho"], found["x_on_y"], found["y_on_x"]["slope"]) == (None, None, pytest.approx(0, abs=1e-15))
    assert found["warnings"][0]["detail"].startswith("a coluna 'same' tem o mesmo número em todas as 3 linhas")
    for rows, points, pointer in ((400, 2, "/query/y"), (200, 200, "/query/points")):
        many = stage.csv("a,b\n" + "".join(f"{i},{i * i}\n" for i in range(rows))).json()["id"]
        answer = stage.client.get(f"/v1/datasets/{many}/relation", params={"x": "a", "y": "b", "points": points})
        assert (answer.json()["code"], answer.json()["errors"][0]["pointer"]) == ("TOO_MUCH_WORK", pointer)
