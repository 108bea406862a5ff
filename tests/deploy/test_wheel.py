"""The wheel holds the built page, and there is no wheel without one."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "store", "service", "worker", "cli")
PAGE = {"index.html": "<!doctype html>", "assets/index-1a2b3c.js": "export {};"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image's wheel is built from."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "dashboard"))
    return folder


def build(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_without_a_page_there_is_no_wheel(tree: Path) -> None:
    done = build(tree)
    assert done.returncode != 0
    assert "service/dashboard holds no page" in done.stderr
    assert not list(tree.rglob("*.whl"))


def test_the_wheel_holds_the_page_and_the_packages(tree: Path) -> None:
    for name, content in PAGE.items():
        path = tree / "service/dashboard" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    done = build(tree)
    assert done.returncode == 0, done.stderr
    [wheel] = tree.rglob("*.whl")
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
        assert {name: archive.read(f"service/dashboard/{name}").decode() for name in PAGE} == PAGE
    modules = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert modules <= held
