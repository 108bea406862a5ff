"""Clients that others' tools make of the OpenAPI document: made without a warning, type-checked, and used on a real server.

scripts/setup-clients has the tools; where it cannot get them, these tests fail with what it says.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.demo import IRIS
from service.app import create_app
from tests.end_to_end.conftest import Server, command

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = ROOT / ".clients"
NODE = str(TOOLS / "bin/node")
PYTHON = str(TOOLS / "bin/python")
WARNING = re.compile(r"warn|error|skipp|unsupported|deprecat", re.IGNORECASE)
SETUP_SECONDS = 600
pytestmark = pytest.mark.timeout(SETUP_SECONDS)


def call(*arguments: str, within: Path = ROOT) -> str:
    """What a command says on either stream, without colours. Fails the test with it where the command fails."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    found = subprocess.run(
        arguments, cwd=within, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", found.stdout)
    if found.returncode != 0:
        pytest.fail(f"{' '.join(arguments)}: {said}")
    return said


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document, the journeys and the tools."""
    call("scripts/setup-clients")
    folder = tmp_path_factory.mktemp("clients")
    for path in HERE.iterdir():
        if path.suffix in (".ts", ".mjs", ".json", ".ini", ".yml") or path.name == "journey.py":
            shutil.copy(path, folder)
    (folder / "openapi.json").write_text(json.dumps(create_app().openapi()))
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    return folder


@pytest.fixture(scope="module")
def python_client(workshop: Path) -> str:
    arguments = ("--path", "openapi.json", "--output-path", "vidro_client", "--meta", "none")
    configured = ("--config", "openapi-python-client.yml")
    return call(str(TOOLS / "bin/openapi-python-client"), "generate", *arguments, *configured, within=workshop)


@pytest.fixture(scope="module")
def typescript_clients(workshop: Path) -> str:
    modules = "node_modules"
    said = call(NODE, f"{modules}/@hey-api/openapi-ts/bin/run.js", within=workshop)
    arguments = ("openapi.json", "-o", "schema.d.ts", "--default-non-nullable=false")
    return said + call(NODE, f"{modules}/openapi-typescript/bin/cli.js", *arguments, within=workshop)


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    made = subprocess.run(
        command("keys", "create", "--owner", "ana"),
        env=os.environ | {"VIDRO_DATA": str(server.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def test_the_document_is_valid(workshop: Path) -> None:
    assert call(str(TOOLS / "bin/openapi-spec-validator"), "openapi.json", within=workshop).strip() == "openapi.json: OK"


def test_every_operation_has_a_python_client_that_type_checks(workshop: Path, python_client: str) -> None:
    assert not WARNING.search(python_client), python_client
    made = {path.stem for path in (workshop / "vidro_client/api").rglob("*.py")} - {"__init__"}
    assert made == set(operations(workshop))
    arguments = ("--config-file=mypy.ini", f"--python-executable={PYTHON}", "--cache-dir=.mypy_cache")
    assert "Success" in call(sys.executable, "-m", "mypy", *arguments, "journey.py", "vidro_client", within=workshop)


def test_every_operation_has_a_typescript_client_that_type_checks(workshop: Path, typescript_clients: str) -> None:
    assert not WARNING.search(typescript_clients), typescript_clients
    sdk = (workshop / "hey_api/sdk.gen.ts").read_text()
    made = set(re.findall(r"^export const (\w+)", sdk, re.MULTILINE))
    assert made == {re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in operations(workshop)}
    call(NODE, "node_modules/typescript/bin/tsc", "--project", ".", within=workshop)


def operations(workshop: Path) -> list[str]:
    document: dict[str, Any] = json.loads((workshop / "openapi.json").read_text())
    return [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]


@pytest.mark.parametrize("journey", ["journey.py", "out/journey_hey_api.js", "out/journey_fetch.js"])
def test_a_client_goes_from_a_file_to_a_prediction(
    journey: str, workshop: Path, python_client: str, typescript_clients: str, server: Server, key: str
) -> None:
    if journey.endswith("js") and not (workshop / journey).exists():
        call(NODE, "node_modules/typescript/bin/tsc", "--project", ".", within=workshop)
    program = PYTHON if journey.endswith("py") else NODE
    said = call(program, journey, str(server.client.base_url).rstrip("/"), key, str(IRIS), within=workshop)
    assert json.loads(said) == {
        "name": "flowers",
        "state": "succeeded",
        "points": 30,
        "shapes": [[4, 16], [16, 8], [8, 3]],
        "predictions": ["setosa"],
        "steps": 1,
        "slopes": 5,
    }
