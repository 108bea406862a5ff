"""Answers that the OpenAPI document shows, as Vidro gave them: rounded, and with fewer rows, points and formulas."""

from typing import Any

from engine.glass import descents, loss_slices, perceptron_updates, relation

JOB, DATASET, GROUP = "job_01937b2e", "ds_01937b2e", "grp_01937b2e"
AT = "2026-11-26T19:10:02.075Z"
SCALED = {"scaling": "mean_normalization", "target_scaling": "none", "missing": "error", "categorical": "one_hot"}
MEAN_NORMALIZATION = {"kind": "mean_normalization", "formula": r"x' = \frac{x - \mu}{\max x - \min x}"}


def _formula(formula: str, source: str | None = None) -> dict[str, str | None]:
    return {"formula": formula, "source": source or None}


RELATION: dict[str, Any] = {
    "dataset_id": DATASET, "rows": 13, "missing": 0,
    "x": {"column": "months", "missing": 0, "mean": 12.0, "variance": 60.67},
    "y": {"column": "weight", "missing": 0, "mean": 8.454, "variance": 5.963},
    "rho": 0.9639,
    "y_on_x": {
        "predicts": "weight", "by": "months", "slope": 0.3022, "intercept": 4.827, "r2": 0.9292, "residual_std": 0.6788,
        "fitted": [4.827, 6.641, 8.454, 12.08], "residuals": [-1.627, 0.6593, 0.4462, -0.5802],
        "leverages": [0.2747, 0.1264, 0.07692, 0.2747], "distances": [1.501, 0.07811, 0.0195, 0.1908],
    },
    "x_on_y": {
        "predicts": "months", "by": "weight", "slope": 3.075, "intercept": -13.99, "r2": 0.9292, "residual_std": 2.165,
        "fitted": [-4.154, 8.452, 13.37, 21.37], "residuals": [4.154, -2.452, -1.372, 2.634],
        "leverages": [0.4627, 0.09553, 0.07971, 0.2066], "distances": [2.949, 0.07489, 0.01889, 0.2429],
    },
    "points": {"rows": [0, 3, 6, 12], "x": [0.0, 6.0, 12.0, 24.0], "y": [3.2, 7.3, 8.9, 11.5], "left_out": 9},
    "formulas": {name: _formula(*relation.FORMULAS[name]) for name in ("rho", "leverages")},
    "warnings": [],
}  # fmt: skip
DESCENTS: dict[str, Any] = {
    "dataset_id": DATASET, "feature": "months", "target": "weight",
    "model": {"kind": "linear_regression", "solver": "gradient_descent"}, "loss": {"kind": "half_mse"},
    "epochs": 2, "hold": None, "classes": None,
    "surfaces": [
        {
            "preprocessing": SCALED,
            "scaling": {**MEAN_NORMALIZATION, "columns": [{"column": "months", "center": 12.0, "scale": 24.0}]},
            "rows": 13, "w": [-1.088, 8.341], "b": [-1.268, 9.722], "costs": [[50.83, 47.51], [4.381, 1.056]],
            "minimum": {"point": [7.253, 8.454], "coefficients": [0.3022, 4.827], "cost": 0.195},
        }
    ],
    "paths": [
        {
            "settings": {
                "optimizer": {"kind": "momentum", "learning_rate": 0.01, "momentum": 0.9}, "schedule": {"kind": "constant"},
                "batch_size": "full", "shuffle": True, "seed": 0, "preprocessing": SCALED,
            },
            "surface": 0, "formula": r"v \leftarrow \gamma v + \eta\,g, \quad \theta \leftarrow \theta - v",
            "points": [[0.0, 0.0], [0.007051, 0.08454], [0.02044, 0.2443]],
            "coefficients": [[0.0, 0.0], [0.0002938, 0.08101], [0.0008517, 0.2341]],
            "costs": [38.49, 37.77, 36.44], "gradients": [[-0.7051, -8.454], [-0.7044, -8.369], [-0.7031, -8.21]],
            "tangents": None, "epochs": [1, 2], "learning_rates": [0.01, 0.01],
            "states": {"velocity": [[0.0, 0.0], [-0.007051, -0.08454], [-0.01339, -0.1598]]},
            "diverged": False, "warnings": [],
        }
    ],
    "formulas": {"gradients": _formula(descents.GRADIENT), "coefficients": _formula(descents.COEFFICIENTS)},
}  # fmt: skip
UPDATES: dict[str, Any] = {
    "job_id": JOB, "epoch": 0, "features": ["x", "y"], "classes": ["lower", "upper"], "total": 8, "offset": 7,
    "items": [
        {
            "number": 8, "epoch": 1, "row": 463, "x": [-0.01647, 0.2722, 1.0], "y": 1, "score": -0.6869,
            "before": [0.03828, 1.152, -1.0], "after": [0.02181, 1.425, 0.0], "mistakes": 0, "pocket_mistakes": 0,
            "is_kept": True, "coefficients": [0.000614, 0.05396, 0.02809], "line": [[-14.49, -0.3556], [24.58, -0.8002]],
        }
    ],
    "formulas": {name: _formula(*told) for name, told in perceptron_updates.FORMULAS.items()},
}  # fmt: skip
LANDSCAPE: dict[str, Any] = {
    "job_id": JOB, "epoch": 30, "directions": {"kind": "principal"}, "split": "train", "rows": 120, "rows_left_out": 0,
    "cost": 0.06606, "alpha": [-7.956, -3.459, 1.038], "beta": [-1.939, -0.7753, 0.388],
    "costs": [[0.8509, 0.206, 0.09742], [1.06, 0.2299, 0.06266], [1.37, 0.3016, 0.05369]],
    "lengths": [1.0, 1.0], "explained": [0.9379, 0.06118],
    "path": [
        {"epoch": 0, "alpha": -6.918, "beta": 0.1195, "distance": 0.07258, "cost": 1.068},
        {"epoch": 10, "alpha": -3.27, "beta": -1.67, "distance": 0.03731, "cost": 0.1957},
        {"epoch": 30, "alpha": 0.0, "beta": 0.0, "distance": 0.0, "cost": 0.06606},
    ],
    "path_left_out": 0,
    "formulas": {"costs": _formula(loss_slices.COST), "path": _formula(loss_slices.PROJECTION)},
}  # fmt: skip
VERSIONS = {
    "python": "3.11.7",
    "vidro": "0.6.0",
    "numpy": "2.4.6",
    "numba": "0.68.1",
    "polars": "2.1.0",
    "processor": "AMD EPYC",
}
REPLAY_RESULT: dict[str, Any] = {
    "agrees": True, "from_epoch": 10, "to_epoch": 20,
    "compared": {"curve_points": 40, "series": ["train_accuracy", "train_loss", "validation_accuracy", "validation_loss"],
                 "weights_of_epochs": [20]},
    "first_difference": None, "versions": {"then": VERSIONS, "now": VERSIONS},
}  # fmt: skip
REPLAY: dict[str, Any] = {
    "id": "job_01937b3f", "kind": "replay", "parent": JOB, "asked": {"from_epoch": 10, "to_epoch": 20}, "group_id": None,
    "name": None, "tags": [], "dataset_id": DATASET, "owner": "local",
    "request": {"dataset_id": DATASET, "target": "species", "model": {"kind": "mlp", "hidden": [{"units": 16}]}, "epochs": 30},
    "state": "queued", "state_reason": None, "done": False, "attempt": 0, "queue_position": 1,
    "progress": {"epoch": 10, "epochs": 20, "fraction": 0.5, "eta_seconds": None},
    "latest": {"epoch": 10, "train_loss": 0.2097, "validation_loss": 0.2438}, "best": None, "scaling": None, "units": {},
    "target_scaling": None, "parameters": 131, "device": None, "model_id": None,
    "forked_from": {"job_id": JOB, "epoch": 10}, "error": None, "warnings": [],
    "checkpoints_removed_at": None, "curves_removed_at": None,
    "timings": {"queued_seconds": None, "load_seconds": None, "compile_seconds": None, "train_seconds": None},
    "created_at": AT, "started_at": None, "finished_at": None,
    "transitions": [{"state": "queued", "at": AT, "reason": None}], "event_id": 4294967306,
}  # fmt: skip
SLICE = {
    **REPLAY, "kind": "slice", "asked": {"directions": {"kind": "random", "seed": 0}, "resolution": 200, "rows": 100_000},
    "progress": {"epoch": 0, "epochs": 1, "fraction": 0.0, "eta_seconds": None}, "latest": {}, "forked_from": None,
}  # fmt: skip
"""A slice that costs too much to be answered at once."""
_ENDED: dict[str, Any] = {
    "kind": "repeat", "parent": JOB, "name": None, "tags": [], "owner": "local", "state": "succeeded", "done": True,
    "model_kind": "mlp", "dataset_id": DATASET, "target": "species", "queue_position": None,
    "progress": {"epoch": 30, "epochs": 30, "fraction": 1.0, "eta_seconds": 0.0}, "best": None, "error_code": None,
    "created_at": AT, "started_at": AT, "finished_at": AT,
}  # fmt: skip
GROUP_ENDED: dict[str, Any] = {
    "id": GROUP, "kind": "repeat", "parent": JOB, "asked": {"seeds": 2, "vary": "all", "setting": None, "values": []},
    "done": True,
    "result": [
        {
            "value": None, "jobs": 2, "succeeded": 2,
            "metrics": {
                "validation_loss": {"count": 2, "mean": 0.06477, "deviation": 0.04085, "low": 0.03589, "high": 0.09365,
                                    "interval": [-0.3022, 0.4318]},
                "validation_accuracy": {"count": 2, "mean": 0.9667, "deviation": 0.04714, "low": 0.9333, "high": 1.0,
                                        "interval": [0.5431, 1.39]},
            },
        }
    ],
    "jobs": [
        {**_ENDED, "id": "job_01937c0a", "model_id": "mdl_01937c0a", "latest": {"epoch": 30, "validation_loss": 0.09365},
         "best_values": {"validation_loss": 0.08603}},
        {**_ENDED, "id": "job_01937c0b", "model_id": "mdl_01937c0b", "latest": {"epoch": 30, "validation_loss": 0.03589},
         "best_values": {"validation_loss": 0.03589}},
    ],
    "created_at": AT,
}  # fmt: skip
_QUEUED: dict[str, Any] = {
    **_ENDED, "state": "queued", "done": False, "progress": {"epoch": 0, "epochs": 30, "fraction": 0.0, "eta_seconds": None},
    "latest": {}, "best_values": {}, "model_id": None, "started_at": None, "finished_at": None,
}  # fmt: skip
GROUP_BEGUN: dict[str, Any] = {
    **GROUP_ENDED, "done": False, "result": [{"value": None, "jobs": 2, "succeeded": 0, "metrics": {}}],
    "jobs": [{**_QUEUED, "id": "job_01937c0a", "queue_position": 1}, {**_QUEUED, "id": "job_01937c0b", "queue_position": 2}],
}  # fmt: skip
GROUP_CANCELLED: dict[str, Any] = {
    **GROUP_BEGUN, "done": True,
    "jobs": [{**_QUEUED, "id": id_, "state": "cancelled", "done": True, "finished_at": AT}
             for id_ in ("job_01937c0a", "job_01937c0b")],
}  # fmt: skip
BANDS: dict[str, Any] = {
    "series": "validation_loss",
    "bands": [
        {"value": None, "epoch": [29, 30], "count": [2, 2], "mean": [0.06671, 0.06477], "deviation": [0.0415, 0.04085],
         "low": [0.03737, 0.03589], "high": [0.09605, 0.09365]}
    ],
}  # fmt: skip
