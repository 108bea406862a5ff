"""From a file to a prediction with the client that openapi-python-client makes: journey.py URL KEY FILE."""

import json
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from vidro_client import AuthenticatedClient
from vidro_client.api.datasets import create_dataset
from vidro_client.api.glass_box import check_gradients, trace_steps
from vidro_client.api.jobs import create_job, get_job
from vidro_client.api.models import predict
from vidro_client.api.results import get_curves, get_weights
from vidro_client.models import (
    Curves,
    DatasetResource,
    DatasetUpload,
    GradientCheck,
    JobCheck,
    JobRequest,
    JobRequestOptimizerType0,
    JobResource,
    JobTrace,
    MultilayerPerceptron,
    PredictionsResource,
    RecordsRequest,
    RecordsRequestRecordsItem,
    Trace,
    Weights,
)
from vidro_client.types import File

Resource = TypeVar("Resource")


def of(kind: type[Resource], answer: object) -> Resource:
    """The answer, which has to be of that kind: no problem, and not nothing."""
    if not isinstance(answer, kind):
        raise SystemExit(f"{kind.__name__} was wanted: {answer}")
    return answer


def main(url: str, key: str, path: Path) -> None:
    client = AuthenticatedClient(base_url=url, token=key)
    file = File(payload=BytesIO(path.read_bytes()), file_name=path.name)
    dataset = of(DatasetResource, create_dataset.sync(client=client, body=DatasetUpload(file=[file], name="flowers")))
    request = JobRequest(
        dataset_id=dataset.id,
        target="species",
        model=MultilayerPerceptron(kind="mlp", hidden=[16, 8]),
        optimizer=JobRequestOptimizerType0.ADAM,
        epochs=30,
    )
    job = of(JobResource, create_job.sync(client=client, body=request))
    deadline = time.monotonic() + 60
    while not job.done and time.monotonic() < deadline:
        time.sleep(0.05)
        job = of(JobResource, get_job.sync(job.id, client=client))
    curves = of(Curves, get_curves.sync(job.id, client=client, series="train_loss"))
    weights = of(Weights, get_weights.sync(job.id, client=client))
    row = RecordsRequestRecordsItem.from_dict(
        {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    )
    predictions = of(PredictionsResource, predict.sync(str(job.model_id), client=client, body=RecordsRequest(records=[row])))
    trace = of(Trace, trace_steps.sync(client=client, body=JobTrace(job_id=job.id, epoch=0)))
    check = of(GradientCheck, check_gradients.sync(client=client, body=JobCheck(job_id=job.id, epoch=0, parameters=5)))
    found = {
        "name": dataset.name,
        "state": job.state.value,
        "points": len(curves.series["train_loss"].step),
        "shapes": [[len(layer.weights), len(layer.weights[0])] for layer in weights.layers],
        "predictions": predictions.predictions,
        "steps": len(trace.steps),
        "slopes": len(check.slopes),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
