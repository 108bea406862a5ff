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
FOUND = {
    "name": "flowers",
    "state": "succeeded",
    "points": 30,
    "shapes": [[4, 16], [16, 8], [8, 3]],
    "predictions": ["setosa"],
    "steps": 1,
    "slopes": 5,
}
"""What every journey tells."""
pytestmark = pytest.mark.timeout(SETUP_SECONDS)


def call(*arguments: str, within: Path = ROOT) -> str:
    """What a command says on either stream, without colors. Fails the test with it where the command fails."""
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


def test_a_python_client_is_made_type_checks_and_goes_from_a_file_to_a_prediction(
    workshop: Path, server: Server, key: str
) -> None:
    generate = ("generate", "--path", "openapi.json", "--output-path", "vidro_client", "--meta", "none")
    said = call(str(TOOLS / "bin/openapi-python-client"), *generate, "--config", "openapi-python-client.yml", within=workshop)
    assert not WARNING.search(said), said
    made = {path.stem for path in (workshop / "vidro_client/api").rglob("*.py")} - {"__init__"}
    assert made == set(operations(workshop))
    arguments = ("--config-file=mypy.ini", f"--python-executable={PYTHON}", "--cache-dir=.mypy_cache")
    assert "Success" in call(sys.executable, "-m", "mypy", *arguments, "journey.py", "vidro_client", within=workshop)
    assert journey(PYTHON, "journey.py", workshop, server, key) == FOUND


def test_typescript_clients_are_made_type_check_and_go_from_a_file_to_a_prediction(
    workshop: Path, server: Server, key: str
) -> None:
    said = call(NODE, "node_modules/@hey-api/openapi-ts/bin/run.js", within=workshop)
    types = ("openapi.json", "-o", "schema.d.ts", "--default-non-nullable=false")
    said += call(NODE, "node_modules/openapi-typescript/bin/cli.js", *types, within=workshop)
    assert not WARNING.search(said), said
    made = re.findall(r"^export const (\w+)", (workshop / "hey_api/sdk.gen.ts").read_text(), re.MULTILINE)
    assert set(made) == {re.sub(r"_(\w)", lambda found: found[1].upper(), name) for name in operations(workshop)}
    call(NODE, "node_modules/typescript/bin/tsc", "--project", ".", within=workshop)
    for program in ("out/journey_hey_api.js", "out/journey_fetch.js"):
        assert journey(NODE, program, workshop, server, key) == FOUND


def operations(workshop: Path) -> list[str]:
    document: dict[str, Any] = json.loads((workshop / "openapi.json").read_text())
    return [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]


def journey(runner: str, program: str, workshop: Path, server: Server, key: str) -> Any:
    return json.loads(call(runner, program, str(server.client.base_url).rstrip("/"), key, str(IRIS), within=workshop))
