"""The Dockerfile and docker-compose.yml, read by the tools that read them in earnest. Needs no engine."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from store.settings import Settings

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
OURS = ("service", "worker", "worker-gpu")
SERVERS = ("postgres", "valkey")
SETTINGS = {f"vidro_{name}" for name in Settings.model_fields}
SECRETS = {"database_password", "vidro_database_url", "vidro_api_key"}


def config(folder: Path, *arguments: str) -> str:
    """What Compose makes of the file, with nothing set in the environment. Fails where it has anything to complain of."""
    command = [TOOLS / "docker-compose", "--profile", "gpu", "-f", "docker-compose.yml", "config", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh checkout, as far as Compose needs one."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "docker-compose.yml", folder)
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/secrets", folder / "scripts")
    return folder


@pytest.fixture(scope="module")
def project(checkout: Path) -> dict[str, Any]:
    """docker-compose.yml with everything filled in."""
    document: dict[str, Any] = json.loads(config(checkout, "--format", "json"))
    return document


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = project["services"]
    return found


def test_compose_accepts_the_file(checkout: Path) -> None:
    config(checkout, "--quiet")


def test_hadolint_accepts_the_dockerfile() -> None:
    done = subprocess.run([TOOLS / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_these_are_the_services(services: dict[str, Any]) -> None:
    assert set(services) == {"migrate", *OURS, *SERVERS}
    assert services["worker-gpu"]["profiles"] == ["gpu"]


@pytest.mark.parametrize("name", [*OURS, *SERVERS])
def test_what_runs_for_long_is_watched_restarted_and_bounded(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert int(service["deploy"]["resources"]["limits"]["memory"]) > 0
    assert service["deploy"]["resources"]["limits"]["pids"] > 0


@pytest.mark.parametrize("name", ["migrate", *OURS, *SERVERS])
def test_nothing_may_more_than_it_must(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {mount["type"] for mount in service.get("volumes", [])} <= {"volume"}
    assert service.get("user") not in ("root", "0")
    if name in SERVERS:  # whose images would start as root
        assert service["user"] == name


def test_api_worker_and_migration_are_one_image(services: dict[str, Any]) -> None:
    first, *others = (services[name] for name in ("service", "worker", "migrate"))
    for other in others:
        assert (other["image"], other["build"]) == (first["image"], first["build"])
    assert services["worker-gpu"]["build"] == first["build"] | {"args": {"LOCK": "requirements-gpu.lock"}}


def test_only_the_api_is_reached_from_outside_and_that_from_this_machine_alone(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert list(published) == ["service"]
    assert [port["host_ip"] for port in published["service"]] == ["127.0.0.1"]


def test_our_processes_are_told_settings_that_exist(services: dict[str, Any]) -> None:
    for name in ("migrate", *OURS):
        told = {key.lower() for key in services[name]["environment"] if key.startswith("VIDRO_")}
        files = {secret["target"] for secret in services[name]["secrets"]} - {"/run/secrets/vidro_api_key"}
        assert told <= SETTINGS
        assert files == {"/run/secrets/vidro_database_url"} <= {f"/run/secrets/{setting}" for setting in SETTINGS}


def test_the_workers_take_jobs_from_the_queues_that_the_api_fills(services: dict[str, Any]) -> None:
    assert Settings.model_fields["queues"].default == "train"
    assert "VIDRO_QUEUES" not in services["worker"]["environment"]
    assert services["worker-gpu"]["environment"]["VIDRO_QUEUES"] == "gpu"


def test_the_api_is_checked_as_its_image_says(services: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    found = re.search(r"HEALTHCHECK .*\\\n\s*CMD (\[.*\])", dockerfile)
    assert found is not None
    assert ["CMD", *ast.literal_eval(found[1])] == services["service"]["healthcheck"]["test"]


def test_secrets_are_made_once_kept_from_others_and_never_written_inline(checkout: Path, project: dict[str, Any]) -> None:
    values = make_secrets(checkout)
    assert set(values) == SECRETS == set(project["secrets"])
    for name, secret in project["secrets"].items():
        assert Path(secret["file"]) == checkout / "secrets" / name
    assert all(len(value) >= 64 for value in values.values())
    assert values["vidro_database_url"] == f"postgresql://vidro:{values['database_password']}@postgres:5432/vidro"
    assert (checkout / "secrets").stat().st_mode & 0o777 == 0o700
    assert {(checkout / "secrets" / name).stat().st_mode & 0o777 for name in values} == {0o644}
    filled_in = config(checkout)
    assert not [name for name, value in values.items() if value in filled_in]
    assert make_secrets(checkout) == values


def make_secrets(checkout: Path) -> dict[str, str]:
    subprocess.run([checkout / "scripts/secrets"], check=True, capture_output=True)
    return {path.name: path.read_text().strip() for path in (checkout / "secrets").iterdir()}


def test_the_image_is_made_of_what_is_named_and_of_nothing_else() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    packages = {"engine", "store", "service", "worker", "cli"}
    build = {"pyproject.toml", "hatch_build.py", "README.md", "requirements*.lock", "dashboard", "scripts/setup-node"}
    assert allowed == packages | build
    assert {"dashboard/node_modules", "service/dashboard"} <= set(rules)  # what a machine built may be old


def test_the_image_builds_its_page_with_node_from_the_wheel() -> None:
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    page, wheel, last = stages
    assert page.startswith("python:3.13-slim AS dashboard\n")
    steps = ["RUN PYTHON=python scripts/setup-node", "ENV PATH=/src/.node/bin:$PATH", "npm ci", "npm run build"]
    assert [page.index(step) for step in steps] == sorted(page.index(step) for step in steps)
    copied = "COPY --from=dashboard /src/service/dashboard service/dashboard"
    assert wheel.index("COPY . .") < wheel.index(copied) < wheel.index("--no-build-isolation .")
    assert "/opt/vidro" in last
