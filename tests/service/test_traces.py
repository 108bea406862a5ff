"""Traces, gradient checks and curves of functions over HTTP, as a stranger would ask for them."""

import itertools
from collections.abc import Callable
from typing import Any

import anyio
import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.glass.functions import FUNCTIONS
from engine.glass.gradient_check import count_products
from engine.glass.trace_input import Given
from service.capacity import Capacity
from service.work import COSTS
from tests.service.conftest import Stage

WORKED = {
    "layers": [{"weights": [[0.11, 0.12], [0.21, 0.08]]}, {"weights": [[0.14], [0.15]]}],
    "loss": {"kind": "half_mse"},
    "optimizer": {"kind": "gradient_descent", "learning_rate": 0.05},
    "inputs": [[2, 3]],
    "targets": [[1]],
}
CHECKED = {name: value for name, value in WORKED.items() if name != "optimizer"}


def post(stage: Stage, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = stage.client.post(f"/v1/{path}", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def only(step: dict[str, Any], name: str, layer: str | None = None) -> dict[str, Any]:
    (found,) = [each for each in step["quantities"] if (each["name"], each["layer"]) == (name, layer)]
    return found


def test_the_worked_example(stage: Stage) -> None:
    found = post(stage, "traces", {**WORKED, "steps": 2})
    assert (found["job_id"], found["rows"], found["parameters"], found["diverged"]) == (None, None, 6, False)
    first, second = found["steps"]
    assert (first["step"], second["step"]) == (1, 2)
    assert only(first, "J")["values"] == pytest.approx(0.3272405)
    assert only(first, "new_W", "output")["values"] == [[pytest.approx(0.1743825)], [pytest.approx(0.169416)]]
    assert only(second, "J")["values"] == pytest.approx(0.2769571714)
    assert only(second, "W", "hidden_1") | {"name": "", "stage": "", "formula": ""} == only(first, "new_W", "hidden_1") | {
        "name": "", "stage": "", "formula": "",
    }  # fmt: skip
    for each in itertools.chain(*(step["quantities"] for step in found["steps"])):
        assert list(np.shape(each["values"])) == each["shape"]
        assert each["formula"]


def test_a_bias_may_be_an_extra_input(stage: Stage) -> None:
    biased = [{**layer, "bias": bias} for layer, bias in zip(WORKED["layers"], ([0.3, 0.4], [0.5]), strict=True)]
    (step,) = post(stage, "traces", {**WORKED, "layers": biased, "bias_form": "extra_input"})["steps"]
    assert only(step, "A")["values"] == [[1, 2, 3]]
    assert only(step, "W", "hidden_1")["values"] == [[0.3, 0.4], [0.11, 0.12], [0.21, 0.08]]
    assert only(step, "Z", "hidden_1")["formula"] == r"Z^{(1)} = \tilde A^{(0)} \tilde W^{(1)}"


def test_a_step_too_far_is_shown_and_is_the_last(stage: Stage) -> None:
    wild = {**WORKED, "optimizer": {"kind": "gradient_descent", "learning_rate": 1e200}, "steps": 9}
    found = post(stage, "traces", wild)
    assert found["diverged"] is True
    assert len(found["steps"]) < 9
    assert "Infinity" in str(found["steps"][-1]) or "NaN" in str(found["steps"][-1])


def iris_job(stage: Stage, **fields: Any) -> dict[str, Any]:
    hidden = {"hidden": [{"units": 5, "activation": "tanh"}]}
    wishes = {"model": hidden, "epochs": 3, "batch_size": "full", "precision": "float64", "split": {"validation": 0.2}}
    job = stage.job(stage.iris(), "species", "mlp", **{**wishes, **fields})
    assert job["state"] == "succeeded", job["error"]
    return job


def weights(stage: Stage, job: dict[str, Any]) -> dict[str, Any]:
    layers = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["layers"]
    return {layer["name"]: layer for layer in layers}


def test_a_jobs_own_steps_lead_to_its_weights(stage: Stage) -> None:
    """Three epochs of one batch, from before the first step."""
    job = iris_job(stage, optimizer={"kind": "adam", "learning_rate": 0.05})
    found = post(stage, "traces", {"job_id": job["id"], "epoch": 0, "steps": 3})
    assert (found["job_id"], found["epoch"], found["parameters"]) == (job["id"], 0, job["parameters"])
    assert len(found["rows"]) == 120
    for name, layer in weights(stage, job).items():
        np.testing.assert_allclose(only(found["steps"][-1], "new_W", name)["values"], layer["weights"], rtol=1e-9)
        np.testing.assert_allclose(only(found["steps"][-1], "new_b", name)["values"], layer["bias"], rtol=1e-9)


def test_a_job_is_taken_up_at_a_checkpoint(stage: Stage) -> None:
    job = iris_job(stage, record={"checkpoint_every": 2}, optimizer={"kind": "adam", "learning_rate": 0.05})
    (step,) = post(stage, "traces", {"job_id": job["id"], "epoch": 2})["steps"]
    assert step["step"] == 3
    for name, layer in weights(stage, job).items():
        np.testing.assert_allclose(only(step, "new_W", name)["values"], layer["weights"], rtol=1e-9)
    last = post(stage, "traces", {"job_id": job["id"], "rows": post(stage, "traces", {"job_id": job["id"]})["rows"][:2]})
    assert (last["epoch"], len(last["rows"]), last["steps"][0]["step"]) == (3, 2, 4)
    assert only(last["steps"][0], "A")["shape"] == [2, 4]


def test_a_gradient_check_of_given_numbers_and_of_a_job(stage: Stage) -> None:
    found = post(stage, "gradient_checks", CHECKED)
    assert found["agrees"] is True
    assert found["cost"] == pytest.approx(0.3272405)
    assert [slope["analytic"] for slope in found["slopes"] if slope["layer"] == "output"] == pytest.approx([-0.68765, -0.38832])
    job = iris_job(stage, precision="float32")
    found = post(stage, "gradient_checks", {"job_id": job["id"], "parameters": 20})
    assert (found["epoch"], found["agrees"], len(found["slopes"]), found["parameters"]) == (3, True, 20, 43)


def test_a_gradient_check_has_a_price(make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    descent = TypeAdapter(Given).validate_python(CHECKED).descent()
    monkeypatch.setitem(COSTS, "slopes' products", 10**6)
    stage = make_stage(max_work=3 * count_products(descent) * 10**6)
    response = stage.client.post("/v1/gradient_checks", json=CHECKED)
    (error,) = response.json()["errors"]
    assert error["pointer"] == "/parameters"
    assert error["detail"].endswith("; check 3 parameters or fewer")
    assert len(post(stage, "gradient_checks", {**CHECKED, "parameters": 3})["slopes"]) == 3


@pytest.mark.parametrize(
    ("path", "changes", "pointer"),
    [
        ("traces", {"inputs": [[1, 2, 3]]}, "/layers/0/weights"),
        ("traces", {"inputs": [["a", 2]]}, "/inputs/0/0"),
        ("traces", {"optimizer": {"kind": "adam", "beta_1": 3}}, "/optimizer/beta_1"),
        ("traces", {"layers": [{"weights": [[1], [1]], "activation": "step"}]}, "/layers/0/activation"),
        ("traces", {"steps": 0}, "/steps"),
        ("traces", {"epoch": 3}, "/epoch"),
        ("gradient_checks", {"optimizer": WORKED["optimizer"]}, "/optimizer"),
        ("gradient_checks", {"loss": {"kind": "cross_entropy"}}, "/targets"),
    ],
)
def test_what_is_wrong_is_pointed_at(stage: Stage, path: str, changes: dict[str, Any], pointer: str) -> None:
    body = {**(WORKED if path == "traces" else CHECKED), **changes}
    response = stage.client.post(f"/v1/{path}", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer, response.text


NO_ACTIVATION = (
    "must be a JSON object with its kind, or its name alone, as in \"identity\"; choose 'identity', 'sigmoid', 'tanh', 'relu', "
    "'leaky_relu', 'elu', 'gelu', 'silu', 'softplus', 'sign' or 'softmax'"
)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"inputs": []}, {"/inputs": "must hold at least 1; it holds 0"}),
        ({"inputs": [[1, "b"]]}, {"/inputs/0/1": "must be a valid number"}),
        ({"layers": [{"weights": [[1], [2]], "activation": 7}]}, {"/layers/0/activation": NO_ACTIVATION}),
        ({"layers": [{"weights": [[1]]}] * 101}, {"/layers": "must hold at most 100; it holds 101"}),
        ({"targets": 3}, {"/targets": "must be a JSON array"}),
    ],
)
def test_one_mistake_is_one_problem_in_json_s_words(stage: Stage, changes: dict[str, Any], errors: dict[str, str]) -> None:
    response = stage.client.post("/v1/traces", json={**WORKED, **changes})
    assert {error["pointer"]: error["detail"] for error in response.json()["errors"]} == errors


def test_half_a_character_is_no_fault_of_ours(stage: Stage) -> None:
    """Looked up, and quoted in an answer."""
    half = b'{"job_id": "\\ud800"}'
    assert stage.client.post("/v1/traces", content=half, headers={"Content-Type": "application/json"}).status_code == 422
    body = b'{"dataset_id": "%s", "target": "\\ud800", "model": {"kind": "mlp"}}' % stage.iris().encode()
    response = stage.client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/target"


def test_a_job_that_has_no_such_moment_says_so(stage: Stage) -> None:
    job = iris_job(stage)
    held = stage.client.post("/v1/traces", json={"job_id": job["id"], "rows": [149, 10_000]})
    assert held.status_code == 422
    assert held.json()["errors"][0]["pointer"].startswith("/rows/")
    assert stage.client.post("/v1/traces", json={"job_id": job["id"], "epoch": 77}).status_code == 404
    assert stage.client.post("/v1/traces", json={"job_id": "job_none"}).status_code == 404
    perceptron = stage.job(stage.sample("and"), "y", "perceptron")
    refused = stage.client.post("/v1/traces", json={"job_id": perceptron["id"]})
    assert refused.json()["errors"][0]["pointer"] == "/job_id"


def test_a_trace_of_too_many_numbers_is_refused(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_work=100 * COSTS["traced numbers"])
    response = stage.client.post("/v1/traces", json={**WORKED, "steps": 50})
    assert response.status_code == 422
    assert "ask for fewer steps" in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize(("family", "kind"), [(family, kind) for family, kinds in FUNCTIONS.items() for kind in kinds])
def test_every_function_is_drawn(stage: Stage, family: str, kind: str) -> None:
    found = stage.client.get(f"/v1/functions/{family}/{kind}", params={"from": -2, "to": 2, "points": 5}).json()
    assert found["z"] == [-2, -1, 0, 1, 2]
    assert len(found["value"]) == len(found["slope"]) == 5
    assert found["formula"] and found["derivative"] and found["summary"]
    entries = stage.client.get("/v1/catalog").json()
    assert kind in {entry["kind"] for family_entries in entries.values() for entry in family_entries}
    assert (found["target"] is None) == (family == "activation")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("activation/step", 404),
        ("kernel/relu", 422),
        ("loss/huber?delta=0", 422),
        ("loss/huber?delta=" + "[" * 3000, 422),
        ("loss/mse?from=Infinity", 422),
        ("activation/relu?points=1", 422),
        ("activation/relu?color=red", 422),
        ("activation/relu?target=1", 422),
    ],
)
def test_a_function_that_cannot_be_drawn_says_why(stage: Stage, path: str, status: int) -> None:
    response = stage.client.get(f"/v1/functions/{path}")
    assert response.status_code == status
    assert response.json()["detail"]


def test_a_functions_own_numbers_go_beside(stage: Stage) -> None:
    found = stage.client.get("/v1/functions/loss/huber", params={"delta": "2", "from": 0, "to": 4, "points": 3}).json()
    assert (found["parameters"], found["value"], found["slope"]) == ({"delta": 2.0}, [0, 2, 6], [0, 2, 2])


def test_a_dataset_that_is_gone_is_told_apart_from_a_job_that_never_was(stage: Stage) -> None:
    job = iris_job(stage)
    assert stage.client.delete(f"/v1/datasets/{job['dataset_id']}").status_code == 204
    answers = [stage.client.post(f"/v1/{path}", json={"job_id": job["id"]}) for path in ("traces", "gradient_checks")]
    answers += [stage.client.get(f"/v1/jobs/{job['id']}/{path}") for path in ("evaluation", "boundary")]
    for answer in answers:
        assert answer.status_code == 404
        assert f"'{job['dataset_id']}'" in answer.json()["detail"]
        assert "has been deleted" in answer.json()["detail"]


def test_a_few_whole_tables_are_looked_at_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would wait long is told when to come back; who failed makes room."""
    capacity: Capacity = stage.client.app.state.capacity  # type: ignore[attr-defined]
    capacity.seconds, turns = 0.05, capacity.turns
    job = iris_job(stage)

    def answers() -> list[int]:
        found = [stage.client.post(f"/v1/{path}", json={"job_id": job["id"]}) for path in ("traces", "gradient_checks")]
        found += [stage.client.get(f"/v1/jobs/{job['id']}/{path}") for path in ("evaluation", "boundary")]
        assert all(answer.headers["Retry-After"] == "1" for answer in found if answer.status_code == 429)
        return [answer.status_code for answer in found]

    for _ in range(3):
        assert stage.client.post("/v1/traces", json={"job_id": job["id"], "epoch": 77}).status_code == 404
    assert answers() == [200] * 4
    with monkeypatch.context() as others:
        others.setitem(turns, "tables", anyio.Semaphore(0))
        assert answers() == [429] * 4
    assert answers() == [200] * 4
