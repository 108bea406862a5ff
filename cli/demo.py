"""`vidro demo`: a real file goes in over HTTP, two trained models come out, in front of your eyes."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2 as httpx
import typer
from rich.console import Console
from rich.live import Live
from rich.panel import Panel

import engine
from cli.chart import chart

IRIS = Path(engine.__file__).parent / "data" / "iris.csv"
ROW = {"sepal_length": 5.9, "sepal_width": 3.0, "petal_length": 5.1, "petal_width": 1.8}
READY_SECONDS = 60
NETWORK = {
    "name": "demo network",
    "target": "species",
    "model": {"kind": "mlp", "hidden": [{"units": 16, "activation": "relu"}]},
    "optimizer": {"kind": "adam", "learning_rate": 0.01},
    "split": {"validation": 0.3, "seed": 1},
    "epochs": 300,
    "batch_size": 16,
}
LOGISTIC = {
    "name": "demo logistic regression",
    "target": "species",
    "model": {"kind": "logistic_regression"},
    "preprocessing": {"scaling": "standard"},
    "split": {"validation": 0.3, "seed": 1},
}
console = Console(soft_wrap=True)


def demo(
    url: Annotated[str | None, typer.Option(help="a running server; without it one is started and stopped")] = None,
    key: Annotated[str | None, typer.Option(envvar="VIDRO_API_KEY", help="API key of that server")] = None,
) -> None:
    """Upload Iris, train a network and a logistic regression on it, and watch."""
    if url is not None:
        _show(url, key, stays=True)
        return
    with tempfile.TemporaryDirectory(prefix="vidro-demo-") as folder, embedded(Path(folder)) as address:
        _show(address, None, stays=False)


@contextmanager
def embedded(folder: Path) -> Iterator[str]:
    """`vidro up` on a free port for the length of the demo."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "cli.main", "up", "--port", str(port), "--data", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"VIDRO_HOST": "127.0.0.1"})
    try:
        with console.status("starting the API and a worker (SQLite, files, one folder) …"):
            _wait_until_ready(f"http://127.0.0.1:{port}", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        with console.status("stopping the API and the worker …"):
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    console.print(f"[red]The server did not come up. The end of its log:[/]\n{log.read_text()[-3000:]}")
    raise typer.Exit(1)


def _show(url: str, key: str | None, stays: bool) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        console.rule(f"[bold]Vidro[/] at {url}")
        with IRIS.open("rb") as file:
            dataset = _answer(client.post("/v1/datasets", files={"file": ("iris.csv", file, "text/csv")}))
        console.print(f"[green]POST /v1/datasets[/]  iris.csv → {dataset['id']}, {dataset['rows']} rows:")
        for column in dataset["columns"]:
            about = f"mean {column['mean']:.3f}" if column["mean"] is not None else f"{column['distinct']} classes"
            console.print(f"    {column['name']:<14}{column['kind']:<13}{about}")
        for request in (NETWORK, LOGISTIC):
            _train(client, {"dataset_id": dataset["id"], **request})
        _farewell(url, stays)


def _train(client: httpx.Client, request: dict[str, Any]) -> None:
    job = _answer(client.post("/v1/jobs", json=request))
    console.print(f"\n[green]POST /v1/jobs[/]  {request['model']['kind']} → {job['id']}")
    job = _watch(client, job)
    if job["state"] != "succeeded":
        console.print(f"[red]the job {job['state']}: {job['error'] and job['error']['detail']}[/]")
        raise typer.Exit(1)
    latest, seconds = job["latest"], job["timings"]["train_seconds"]
    console.print(
        f"    {job['state']} after {latest['epoch']} epochs, {seconds:.3f} s; {job['parameters']} parameters; "
        f"[bold]validation accuracy {latest['validation_accuracy']:.3f}[/], loss {latest['validation_loss']:.4f}",
        highlight=False,
    )
    answer = _answer(client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [ROW]}))
    likely = ", ".join(f"{name} {share:.3f}" for name, share in answer["probabilities"][0].items())
    console.print(f"[green]POST /v1/models/{{id}}/predict[/]  {json.dumps(ROW)}")
    console.print(f"    → [bold]{answer['predictions'][0]}[/] ({likely})")


def _watch(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Draw the losses as the job's events tell them; returns the job as its last event has it."""
    losses: dict[str, list[float]] = {"train_loss": [], "validation_loss": []}
    with (
        client.stream("GET", f"/v1/jobs/{job['id']}/events", timeout=300) as response,
        Live(console=console, refresh_per_second=10) as live,
    ):
        for event, data in _events(response):
            if event == "state":
                job = data
            elif event == "metric":
                for name, values in losses.items():
                    values.append(float(data[name]))
            lines = {
                "train_loss": ("cyan", losses["train_loss"]),
                "validation_loss": ("magenta", losses["validation_loss"]),
            }
            live.update(Panel(chart(lines), title=f"{job['request']['name']}: {job['state']}", expand=False))
    console.print()
    return job


def _events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Server-sent events, each as its name and its data."""
    event = ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            yield event, json.loads(value)


def _answer(response: httpx.Response) -> dict[str, Any]:
    document: dict[str, Any] = response.json()
    if response.is_error:
        console.print(f"[red]{document.get('title')}:[/] {document.get('detail')}")
        raise typer.Exit(1)
    return document


def _farewell(url: str, stays: bool) -> None:
    console.rule("where to look further")
    if not stays:
        console.print("The demo's server ends now. [bold]scripts/run[/] starts one that stays, at http://127.0.0.1:8000:")
        url = "http://127.0.0.1:8000"
    console.print(f"    {url}/                    the dashboard: the same in a browser, live")
    console.print(f"    {url}/docs                every call, with examples to try")
    console.print(f"    {url}/v1/catalog          every model, loss and optimizer with its formula")
    console.print(f"    curl {url}/v1/jobs        the jobs; then /curves, /weights, /events of one")
