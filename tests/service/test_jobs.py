"""Jobs over HTTP: what a body may say, what a job learns, and how it is read."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as load_safetensors

from engine.tables.samples import InfantWeightSample
from service.schemas.jobs import JobResource
from store import leases, workers
from tests.engine import prepared, table, way_of
from tests.engine.test_reference_sets import WAMPLER_Y
from tests.service.conftest import Stage
from worker.training import run

MLP = {"kind": "mlp", "hidden": [{"units": 16, "activation": "relu"}]}
ALL_OF_IT: dict[str, Any] = {
    "name": "first try", "target": "species", "features": ["petal_length", "petal_width"], "task": "classification",
    "model": {"kind": "mlp", "hidden": [{"units": 16, "activation": "relu", "dropout": 0.0}],
              "initializer": {"kind": "he_normal"}, "bias": True},
    "loss": {"kind": "cross_entropy"},
    "optimizer": {"kind": "adam", "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    "schedule": {"kind": "constant"},
    "regularization": {"l1": 0.0, "l2": 0.0, "clip_norm": None},
    "preprocessing": {"scaling": "mean_normalization", "missing": "error", "categorical": "one_hot"},
    "split": {"validation": 0.2, "test": 0.0, "stratify": True, "seed": 0, "rounding": "total"},
    "epochs": 100, "batch_size": 16, "shuffle": True, "class_weight": None,
    "early_stopping": {"monitor": "validation_loss", "patience": 10, "min_delta": 0.0},
    "seed": 0, "precision": "float32", "device": "auto", "max_seconds": 3600,
    "record": {"curves": "epoch", "checkpoint_every": 10, "histograms_every": 10},
}  # fmt: skip


def test_the_short_form_comes_back_complete(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": MLP, "epochs": 100}
    response = stage.client.post("/v1/jobs", json=body)
    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["state"] == "queued"
    assert job["queue_position"] == 1
    assert stage.sent == [(job["id"], "train")]
    expected = {**ALL_OF_IT, "name": None, "early_stopping": None, "dataset_id": body["dataset_id"]}
    expected["features"] = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    assert job["request"] == expected
    again = stage.client.post("/v1/jobs", json=job["request"])
    assert again.json()["request"] == expected


def test_the_long_form_of_the_contract_is_accepted_as_it_stands(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", **{k: v for k, v in ALL_OF_IT.items() if k not in ("target", "model")})
    assert job["state"] == "succeeded"
    assert {k: v for k, v in job["request"].items() if k != "dataset_id"} == ALL_OF_IT


def test_a_job_is_the_same_object_everywhere(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "logistic_regression")
    assert job["state"] == "succeeded"
    assert [entry["state"] for entry in job["transitions"]] == ["queued", "running", "succeeded"]
    assert job["done"]
    assert job["attempt"] == 1
    assert job["parameters"] == 15
    assert job["progress"]["fraction"] == 1.0
    assert JobResource.model_validate(job).document() == job
    assert stage.client.get("/v1/jobs").json()["items"] == [job]
    events = stage.client.get(f"/v1/jobs/{job['id']}/events", headers={"accept": "application/json"}).json()["items"]
    assert events[-1]["data"] == job


def test_every_epoch_has_its_point_on_every_curve(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=30)
    curves = stage.client.get(f"/v1/jobs/{job['id']}/curves").json()
    assert set(curves["series"]) == {
        "train_loss", "validation_loss", "train_accuracy", "validation_accuracy", "learning_rate", "gradient_norm", "seconds",
    }  # fmt: skip
    for curve in curves["series"].values():
        assert curve["step"] == list(range(1, 31))
        assert curve["value"] == curve["min"] == curve["max"]
    assert curves["sampling"] == {"method": "none", "total": 210, "returned": 210, "exact": True}
    assert job["latest"]["train_loss"] == curves["series"]["train_loss"]["value"][-1]
    lowest = min(curves["series"]["validation_loss"]["value"])
    assert job["best"]["validation_loss"] == lowest


def test_a_sampled_curve_keeps_its_ends_and_extremes(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=200)
    url = f"/v1/jobs/{job['id']}/curves"
    whole = stage.client.get(url, params={"series": "train_loss"}).json()["series"]["train_loss"]
    answer = stage.client.get(url, params={"series": "train_loss", "max_points": 10}).json()
    sampled = answer["series"]["train_loss"]
    assert len(sampled["step"]) <= 10
    assert not answer["sampling"]["exact"]
    assert (sampled["step"][0], sampled["step"][-1]) == (1, 200)
    assert (sampled["value"][0], sampled["value"][-1]) == (whole["value"][0], whole["value"][-1])
    assert (min(sampled["min"]), max(sampled["max"])) == (min(whole["value"]), max(whole["value"]))
    part = stage.client.get(url, params={"series": "train_loss", "from_step": 50, "to_step": 59}).json()["series"]["train_loss"]
    assert part["value"] == whole["value"][49:59]
    csv = stage.client.get(url, params={"series": "train_loss"}, headers={"accept": "text/csv"}).text.splitlines()
    assert csv[0] == "series,step,value"
    assert [float(line.split(",")[2]) for line in csv[1:]] == whole["value"]


def test_smoothing_averages_every_point_and_not_the_sample(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=200)
    url = f"/v1/jobs/{job['id']}/curves"

    def got(**query: Any) -> Any:
        return stage.client.get(url, params={"series": "train_loss", "smoothing": 0.9, **query}).json()["series"]["train_loss"]

    whole, sampled, part = got(), got(max_points=10), got(from_step=150, to_step=160)
    weights = [0.9 ** (199 - k) for k in range(200)]
    assert whole["smoothed"][-1] == pytest.approx(np.average(whole["value"], weights=weights), rel=1e-9)
    assert whole["smoothed_weight"] == pytest.approx(sum(weights), rel=1e-9)
    assert sampled["smoothed"] == pytest.approx([whole["smoothed"][step - 1] for step in sampled["step"]], rel=1e-9)
    assert part["smoothed"] == pytest.approx(whole["smoothed"][149:160], rel=1e-9)
    rows = {"headers": {"accept": "text/csv"}, "params": {"series": "train_loss", "smoothing": 0.9, "from_step": 150}}
    csv = stage.client.get(url, **rows).text.splitlines()
    assert csv[0] == "series,step,value,smoothed"
    assert [float(line.split(",")[3]) for line in csv[1:]] == pytest.approx(whole["smoothed"][149:], rel=1e-9)
    assert "smoothed" not in csv[1]
    assert stage.client.get(url).json()["series"]["train_loss"]["smoothed"] is None
    for wrong in ("1", "-0.1", "nan", "x"):
        assert stage.client.get(url, params={"smoothing": wrong}).json()["errors"][0]["pointer"] == "/query/smoothing"


def test_points_lie_on_the_axis_asked_for(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=40, batch_size=40, record={"curves": "batch"})  # 3 batches an epoch
    url = f"/v1/jobs/{job['id']}/curves"

    def x(axis: str, name: str) -> Any:
        query = {"axis": axis, "series": name, "max_points": 1000}
        return stage.client.get(url, params=query).json()["series"][name]["x"]

    assert stage.client.get(url).json()["series"]["train_loss"]["x"] is None
    assert x("epoch", "train_loss") == list(range(1, 41))
    assert x("step", "train_loss") == [3 * epoch for epoch in range(1, 41)]
    assert x("step", "batch_loss") == list(range(1, 121))
    assert x("epoch", "batch_loss") == pytest.approx([step / 3 for step in range(1, 121)])
    seconds = stage.client.get(url, params={"series": "seconds"}).json()["series"]["seconds"]["value"]
    assert x("seconds", "train_loss") == pytest.approx(np.cumsum(seconds))
    sampled = stage.client.get(url, params={"axis": "seconds", "series": "train_loss", "max_points": 5}).json()["series"][
        "train_loss"
    ]
    assert sampled["x"] == pytest.approx([np.cumsum(seconds)[step - 1] for step in sampled["step"]])
    refused = stage.client.get(url, params={"axis": "step"}, headers={"accept": "text/csv"}).json()
    assert refused["errors"][0]["pointer"] == "/query/axis"


def test_batches_are_recorded_where_asked(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=3, batch_size=40, record={"curves": "batch"})
    series = stage.client.get(f"/v1/jobs/{job['id']}/curves").json()["series"]
    assert series["batch_loss"]["step"] == list(range(1, 10))
    assert np.mean(series["batch_loss"]["value"][:3]) == pytest.approx(series["train_loss"]["value"][0])


@pytest.mark.parametrize("kind", ["json", "npz", "safetensors"])
def test_weights_come_in_three_forms_alike(stage: Stage, kind: str) -> None:
    job = stage.job(stage.iris(), "species", "mlp")
    url = f"/v1/jobs/{job['id']}/weights"
    layers = stage.client.get(url).json()["layers"]
    assert [(layer["name"], np.shape(layer["weights"])) for layer in layers] == [("hidden_1", (4, 16)), ("output", (16, 3))]
    response = stage.client.get(url, params={"format": kind})
    assert response.status_code == 200
    if kind == "json":
        return
    decode = {"npz": lambda data: dict(np.load(io.BytesIO(data), allow_pickle=False)), "safetensors": load_safetensors}
    tensors = decode[kind](response.content)
    for layer in layers:
        np.testing.assert_array_equal(tensors[f"{layer['name']}.weights"], np.float32(layer["weights"]))
        np.testing.assert_array_equal(tensors[f"{layer['name']}.bias"], np.float32(layer["bias"]))
    accepted = {"npz": "application/x-npz", "safetensors": "application/vnd.safetensors"}[kind]
    assert stage.client.get(url, headers={"accept": accepted}).headers["content-type"] == accepted


def test_weights_of_the_best_and_of_any_kept_epoch(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=25, record={"checkpoint_every": 7})
    kept = {item["epoch"] for item in stage.client.get(f"/v1/jobs/{job['id']}/checkpoints").json()["items"]}
    assert kept == {0, 7, 14, 21, 25} | {job["best"]["epoch"]}
    url = f"/v1/jobs/{job['id']}/weights"
    assert stage.client.get(url, params={"epoch": "best"}).json()["epoch"] == job["best"]["epoch"]
    assert stage.client.get(url, params={"epoch": "14"}).json()["epoch"] == 14
    missing = stage.client.get(url, params={"epoch": "13"})
    assert missing.status_code == 404
    assert "7, 14, 21" in missing.json()["detail"]
    assert stage.client.get(url, params={"layer": "attic"}).status_code == 404
    assert stage.client.get(url, headers={"accept": "image/png"}).status_code == 406


def test_a_linear_model_reports_coefficients_in_the_datas_own_units(stage: Stage) -> None:
    job = stage.job(stage.sample("infant_weight"), "weight", "linear_regression")
    weights = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()
    assert weights["coefficients"]["features"] == ["months"]
    assert weights["coefficients"]["weights"][0][0] == pytest.approx(0.3021978022, abs=1e-9)
    assert weights["coefficients"]["bias"][0] == pytest.approx(4.8274725275, abs=1e-9)
    assert job["latest"]["train_loss"] == pytest.approx(0.1949535080, abs=1e-9)
    assert job["latest"]["rank"] == 1
    answer = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [{"months": 19}]}).json()
    assert answer["predictions"][0] == pytest.approx(10.5692307692, abs=1e-9)
    assert answer["probabilities"] is None


def test_coefficients_have_the_digits_of_the_data(stage: Stage) -> None:
    """Of NIST's Wampler 4, all 1: from the file's text to the answer's, with features scaled as by default."""
    rows = [[x**power for power in range(1, 6)] + [y] for x, y in enumerate(WAMPLER_Y[4])]
    text = "\n".join(["a,b,c,d,e,y", *(",".join(map(str, row)) for row in rows)])
    job = stage.job(stage.csv(text).json()["id"], "y", "linear_regression")
    found = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
    assert found["bias"] + [row[0] for row in found["weights"]] == pytest.approx([1] * 6, rel=1e-14, abs=0)


def test_dependent_columns_are_solved_and_said(stage: Stage) -> None:
    dataset_id = stage.csv("a,b,y\n1,2,3\n2,4,5\n3,6,7\n5,10,11\n").json()["id"]
    job = stage.job(dataset_id, "y", "linear_regression", preprocessing={"scaling": "none"})
    assert job["state"] == "succeeded"
    assert [warning["code"] for warning in job["warnings"]] == ["RANK_DEFICIENT"]
    assert job["latest"]["rank"] == 1
    assert job["latest"]["condition"] == "Infinity"
    url = f"/v1/jobs/{job['id']}"
    assert stage.client.get(f"{url}/curves").json()["series"]["condition"]["value"] == ["Infinity"]
    csv = stage.client.get(f"{url}/curves", params={"series": "condition"}, headers={"accept": "text/csv"}).text
    assert csv.splitlines() == ["series,step,value", "condition,1,Infinity"]
    events = stage.client.get(f"{url}/events", headers={"accept": "application/json"}).json()["items"]
    assert [event["data"]["condition"] for event in events if event["event"] == "metric"] == ["Infinity"]
    assert '"condition":"Infinity"' in stage.client.get(f"{url}/events").text


def test_the_two_kinds_of_moons(stage: Stage) -> None:
    apart = stage.job(stage.sample("double_moons", distance=1), "moon", "perceptron")
    assert apart["latest"]["pocket_mistakes"] == 0
    assert apart["latest"]["train_accuracy"] == 1
    mixed = stage.job(stage.sample("double_moons", distance=-4), "moon", "perceptron", epochs=40)
    assert mixed["latest"]["epoch"] == 40
    assert mixed["latest"]["pocket_mistakes"] > 0
    assert any(warning["code"] == "NOT_CONVERGED" for warning in mixed["warnings"])


def test_a_job_that_diverges_fails_and_stays_readable(stage: Stage) -> None:
    job = stage.job(
        stage.sample("infant_weight"), "weight", "linear_regression",
        model={"solver": "gradient_descent"}, optimizer={"kind": "gradient_descent", "learning_rate": 3.0}, epochs=1000,
    )  # fmt: skip
    assert job["state"] == "failed"
    assert job["error"]["code"] == "DIVERGED"
    assert "learning rate" in job["error"]["detail"]
    assert job["model_id"] is None
    curve = stage.client.get(f"/v1/jobs/{job['id']}/curves", params={"series": "train_loss"}).json()["series"]["train_loss"]
    assert len(curve["value"]) > 10
    assert curve["value"][-1] > curve["value"][0]


@pytest.mark.parametrize(("units", "rate", "way"), [([8], 0.5, "small"), ([200, 128], 0.03, "large")])
@pytest.mark.parametrize("validation", [0.0, 0.2])
def test_a_network_that_diverges_says_when_and_what_to_do(
    stage: Stage, units: list[int], rate: float, way: str, validation: float
) -> None:
    """The large first weights leave each last hidden unit at ±1, so that the output layer alone is learned, in a squared loss
    whose curvature is the number of those units: above 2 over it the loss grows by about the same factor an epoch.
    """
    hidden = [{"units": count, "activation": "tanh"} for count in units]
    model = {"hidden": hidden, "initializer": {"kind": "normal", "std": 10.0}}
    optimizer = {"kind": "gradient_descent", "learning_rate": rate}
    fields: dict[str, Any] = {"optimizer": optimizer, "epochs": 100, "split": {"validation": validation}}
    posed = prepared(table(InfantWeightSample().columns()), target="weight", model={"kind": "mlp", **model}, **fields)
    assert way_of(posed) == way
    job = stage.job(stage.sample("infant_weight"), "weight", "mlp", model=model, **fields)
    learned = job["progress"]["epoch"]
    assert 10 < learned < 100
    assert (job["state"], job["error"]["code"], job["model_id"]) == ("failed", "DIVERGED", None)
    beside = "the 0.5 of always answering the mean is lost in its rounding"  # half the variance of a target scaled to 1
    assert f"in epoch {learned + 1}, at a learning rate of {rate:g}: {beside}." in job["error"]["detail"]
    advice = f"Try a learning rate of {rate / 10:g}, scale the features, or set regularization.clip_norm."
    assert advice in job["error"]["detail"]
    assert job["latest"]["epoch"] == learned
    curves = stage.client.get(f"/v1/jobs/{job['id']}/curves").json()["series"]
    losses = {"train_loss", *(["validation_loss"] if validation else [])}
    assert losses | {"gradient_norm", "learning_rate"} <= curves.keys()
    for curve in curves.values():
        assert curve["step"] == list(range(1, learned + 1))
    assert all(None not in curves[loss]["value"] for loss in losses)
    kept = stage.client.get(f"/v1/jobs/{job['id']}/weights", params={"epoch": "best"}).json()
    assert kept["epoch"] == job["best"]["epoch"]


@pytest.mark.parametrize(("validation", "learned"), [(0.0, 1), (0.2, 0)])
def test_a_network_whose_loss_is_no_number_says_when(stage: Stage, validation: float, learned: int) -> None:
    """The first step leads so far out that the next loss, of the validation rows or of the next epoch, overflows float32."""
    optimizer = {"kind": "gradient_descent", "learning_rate": 1e30}
    fields: dict[str, Any] = {"optimizer": optimizer, "batch_size": "full", "split": {"validation": validation}}
    job = stage.job(stage.sample("infant_weight"), "weight", "mlp", **fields)
    assert (job["state"], job["error"]["code"], job["progress"]["epoch"]) == ("failed", "DIVERGED", learned)
    found = f"The loss is no longer a finite number in epoch {learned + 1}, at a learning rate of 1e+30. Try a learning rate of"
    assert job["error"]["detail"].startswith(found)


class Clock:
    """Seconds that pass when told, and a millisecond a look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.mark.parametrize("kind", ["mlp", "linear_regression", "perceptron"])
def test_what_kernels_take_is_told_apart_from_training(stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    clock = Clock()

    def make_ready(_: object) -> float:
        clock.now += 1000.0
        return 1000.0

    stage.place = replace(stage.place, clock=clock)
    monkeypatch.setattr("worker.attempt.make_ready", make_ready)
    monkeypatch.setattr("worker.attempt.time.perf_counter", clock)
    job = stage.job(stage.sample("and"), "y", kind, max_seconds=900)
    assert (job["state"], job["state_reason"]) == ("succeeded", None)  # nor does it use up max_seconds
    assert job["timings"]["compile_seconds"] == 1000.0
    assert 0 < job["timings"]["train_seconds"] < 100
    assert 0 < job["timings"]["load_seconds"] < 100


def test_every_job_tells_what_kernels_took(stage: Stage) -> None:
    for kind in ("mlp", "linear_regression", "perceptron", "logistic_regression"):
        job = stage.job(stage.sample("and"), "y", kind)
        assert 0 <= job["timings"]["compile_seconds"] < 600


BAD_BODIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no such target": ({"target": "color"}, "/target", "no column 'color'"),
    "text for a regression": ({"model": {"kind": "linear_regression"}}, "/target", "holds text"),
    "unknown field": ({"epoch": 3}, "/epoch", "no such field"),
    "unknown field inside": ({"optimizer": {"kind": "adam", "beta": 1}}, "/optimizer/beta", "no such field"),
    "a billion epochs": ({"epochs": 1_000_000_000}, "/epochs", "1000000"),
    "a billion epochs as a float": ({"epochs": 1e9}, "/epochs", "1000000"),
    "half an epoch": ({"epochs": 1.5}, "/epochs", "integer"),
    "true epochs": ({"epochs": True}, "/epochs", "integer"),
    "epochs in words": ({"epochs": "ten"}, "/epochs", "integer"),
    "no epochs": ({"epochs": 0}, "/epochs", "greater than or equal to 1"),
    "unknown model": ({"model": {"kind": "forest"}}, "/model", "choose 'linear_regression'"),
    "model without a kind": ({"model": {}}, "/model", "kind"),
    "unknown activation": (
        {"model": {"kind": "mlp", "hidden": [{"units": 3, "activation": "cube"}]}}, "/model/hidden/0/activation", "'relu'",
    ),
    "more than a machine holds": (
        {"model": {"kind": "mlp", "hidden": [{"units": 1_000_000}, {"units": 1_000_000}]}}, "/model/hidden", "over the limit",
    ),
    "no units": ({"model": {"kind": "mlp", "hidden": [{"units": 0}]}}, "/model/hidden/0/units", "greater"),
    "meaningless for the model": (
        {"model": {"kind": "logistic_regression"}, "optimizer": {"kind": "adam"}}, "/optimizer", "remove it",
    ),
    "loss of another task": ({"loss": {"kind": "mse"}}, "/loss", "cross_entropy"),
    "unknown feature": ({"features": ["sepal_length", "wings"]}, "/features/1", "no column 'wings'"),
    "target among the features": ({"features": ["species"]}, "/features/0", "is the target"),
    "feature named twice": ({"features": ["sepal_length", "sepal_length"]}, "/features/1", "twice"),
    "nothing left to train on": ({"split": {"validation": 0.5, "test": 0.5}}, "/split", "under 1"),
    "a share of no row": ({"split": {"validation": 0.001}}, "/split/validation", "none"),
    "monitor without rows": (
        {"early_stopping": {"monitor": "validation_loss"}, "split": {"validation": 0.0}},
        "/early_stopping/monitor", "train_loss",
    ),
    "too many checkpoints": ({"epochs": 100_000, "record": {"checkpoint_every": 1}}, "/record/checkpoint_every", "100"),
    "half a batch": ({"batch_size": 0.5}, "/batch_size", "'full'"),
    "negative class weight": ({"class_weight": {"setosa": -1}}, "/class_weight/setosa", "greater"),
    "no card": ({"device": "cuda"}, "/device", "auto or cpu"),
    "perceptron of three": ({"model": {"kind": "perceptron"}}, "/target", "3 classes"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "pointer", "text"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body_points_at_the_field_and_stores_nothing(
    stage: Stage, change: dict[str, Any], pointer: str, text: str
) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": MLP, **change}
    for parameters in ({}, {"validate_only": "true"}):
        response = stage.client.post("/v1/jobs", json=body, params=parameters)
        assert response.status_code == 422, response.text
        assert response.headers["content-type"] == "application/problem+json"
        found = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
        assert pointer in found
        assert text in found[pointer]
    assert stage.client.get("/v1/jobs").json()["items"] == []
    assert stage.sent == []


BAD_TABLES = {
    "one class only": ("x,y\n1,a\n2,a\n", "/target", "one class only"),
    "missing cell": ("x,y\n1,a\n,b\n3,a\n", "/preprocessing/missing", "column 'x' is missing 1 values, the first in row 1"),
    "NaN cell": ("x,y\n1,a\nNaN,b\n3,a\n", "/preprocessing/missing", "column 'x'"),
    "missing target": ("x,y\n1,a\n2,\n3,b\n", "/preprocessing/missing", "column 'y'"),
    "nothing but the target": ("y\na\nb\n", "/features", "no column is left"),
    "fractions for classes": ("x,y\n1,0.5\n2,1.5\n", "/target", "no classes"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "pointer", "text"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_table_that_cannot_be_learned_from_names_column_and_row(stage: Stage, table: str, pointer: str, text: str) -> None:
    body = {"dataset_id": stage.csv(table).json()["id"], "target": "y", "model": {"kind": "logistic_regression"}}
    response = stage.client.post("/v1/jobs", json=body)
    assert response.status_code == 422
    found = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    assert text in found[pointer]


@pytest.mark.parametrize("body", [b"{", b"", b"target=species", b'{"a": 1,}', b"\xff\xfe"])
def test_a_body_that_is_not_json_is_said_to_be(stage: Stage, body: bytes) -> None:
    response = stage.client.post("/v1/jobs", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == ""


def test_missing_cells_are_filled_or_dropped_where_asked(stage: Stage) -> None:
    rows = "".join(f"{x},{'a' if x < 5 else 'b'}\n" for x in range(10))
    dataset_id = stage.csv(f"x,y\n{rows},a\n").json()["id"]
    for missing in ("drop", "mean", "median", "most_frequent"):
        job = stage.job(dataset_id, "y", "logistic_regression", preprocessing={"missing": missing})
        assert job["state"] == "succeeded", job["error"]
        records = [{"x": None}] if missing != "drop" else [{"x": 3}]
        answer = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": records})
        assert answer.status_code == 200, answer.text


def test_validate_only_stores_nothing_and_says_what_it_would_be(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": MLP}
    answer = stage.client.post("/v1/jobs", json=body, params={"validate_only": "true"})
    assert answer.status_code == 200
    estimate = answer.json()
    assert estimate["parameters"] == 4 * 16 + 16 + 16 * 3 + 3
    dense = {"kind": "dense", "activation": "relu"}
    assert estimate["layers"] == [
        {**dense, "name": "hidden_1", "input_shape": [4], "output_shape": [16], "inputs": 4, "outputs": 16, "parameters": 80},
        {**dense, "name": "output", "input_shape": [16], "output_shape": [3], "inputs": 16, "outputs": 3, "parameters": 51}
        | {"activation": None},
    ]
    assert estimate["rows"] == {"train": 120, "validation": 30, "test": 0}
    assert estimate["request"]["optimizer"]["kind"] == "adam"
    assert estimate["memory_bytes"] > 0
    assert estimate["seconds"] > 0
    assert stage.client.get("/v1/jobs").json()["items"] == []


def test_the_schema_is_enough_to_build_a_form(stage: Stage) -> None:
    found = stage.client.get("/v1/jobs/schema").json()
    schema = found["schema"]
    fields = [*schema["properties"].items()]
    for name, definition in schema["$defs"].items():
        fields += [(f"{name}.{field}", entry) for field, entry in definition.get("properties", {}).items() if field != "kind"]
    assert [name for name, field in fields if not field.get("description") and "$ref" not in field] == []
    request = stage.client.post(
        "/v1/jobs", json={"dataset_id": stage.iris(), "target": "species", "model": "mlp"}, params={"validate_only": "true"}
    ).json()["request"]
    assert set(request) | {"tags", "weights_seed", "order_seed"} == set(schema["properties"])
    assert {pointer[1:] for pointer in found["fixed"]} < set(schema["properties"])
    assert {choice["model"] for choice in found["choices"]} == {
        entry["kind"] for entry in stage.client.get("/v1/catalog").json()["models"]
    }


def test_cancel_before_and_after_it_started(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": MLP}
    waiting = stage.client.post("/v1/jobs", json=body).json()
    cancelled = stage.client.post(f"/v1/jobs/{waiting['id']}/cancel")
    assert cancelled.status_code == 202
    assert cancelled.headers["location"] == f"/v1/jobs/{waiting['id']}"
    assert cancelled.json()["state"] == "cancelled"
    again = stage.client.post(f"/v1/jobs/{waiting['id']}/cancel")
    assert again.status_code == 409
    assert again.json()["code"] == "CONFLICT"
    run(stage.place, waiting["id"])
    assert stage.client.get(f"/v1/jobs/{waiting['id']}").json()["attempt"] == 0

    held = stage.client.post("/v1/jobs", json=body).json()
    with stage.place.database.transaction() as session:
        assert leases.claim(session, held["id"], "elsewhere", 60)
    assert stage.client.post(f"/v1/jobs/{held['id']}/cancel").json()["state"] == "cancelling"
    assert not stage.client.get(f"/v1/jobs/{held['id']}").json()["done"]


def test_deleting_a_job_leaves_its_model(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp")
    assert stage.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert stage.client.get(f"/v1/jobs/{job['id']}").status_code == 404
    record = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    answer = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [record]})
    assert answer.json()["predictions"] == ["setosa"]


def test_lists_are_paged_newest_first_and_filtered(stage: Stage) -> None:
    iris = stage.iris()
    made = [stage.job(iris, "species", "logistic_regression")["id"] for _ in range(5)]
    other = stage.job(stage.sample("xor"), "y", "perceptron", epochs=2)["id"]
    seen, token = [], None
    while True:
        parameters = {"page_size": 2, **({"page_token": token} if token else {})}
        page = stage.client.get("/v1/jobs", params=parameters).json()
        seen += [item["id"] for item in page["items"]]
        token = page["next_page_token"]
        if token is None:
            break
    assert seen == [other, *reversed(made)]
    by_kind = stage.client.get("/v1/jobs", params={"model_kind": "perceptron"}).json()["items"]
    assert [item["id"] for item in by_kind] == [other]
    assert len(stage.client.get("/v1/jobs", params={"dataset_id": iris}).json()["items"]) == 5
    assert stage.client.get("/v1/jobs", params={"state": "queued"}).json()["items"] == []
    assert stage.client.get("/v1/jobs", params={"page_token": "nonsense"}).status_code == 422


def test_a_card_may_be_another_processs(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": MLP, "device": "cuda"}
    assert stage.client.post("/v1/jobs", json=body).status_code == 422
    with stage.place.database.transaction() as session:
        workers.beat(session, "elsewhere", ["gpu"])
    accepted = stage.client.post("/v1/jobs", json=body)
    assert accepted.status_code == 202
    assert stage.sent == [(accepted.json()["id"], "gpu")]
    assert stage.client.post("/v1/jobs", json=body, params={"validate_only": "true"}).status_code == 200
    newton = stage.client.post("/v1/jobs", json={**body, "model": {"kind": "logistic_regression"}})
    assert newton.json()["errors"][0]["pointer"] == "/device"
