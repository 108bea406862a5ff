"""What the documents say is so: commands exist, settings are all there, nothing of any one machine is in them."""

import re
import subprocess
from pathlib import Path

import pytest

from store.settings import Settings
from tests.end_to_end.conftest import command

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_the_readme_says_what_vidro_is_and_then_the_two_commands() -> None:
    before, commands = (ROOT / "README.md").read_text().split("\n    ", 1)
    assert len(before.splitlines()) <= 10  # what Vidro is and for whom, and no more
    lines = [line.split("#")[0].strip() for line in commands.splitlines()]
    assert lines[:2] == ["scripts/demo", "scripts/test"]


def test_the_readme_lists_every_setting() -> None:
    text = (ROOT / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"| `VIDRO_{name.upper()}` |" in text
        assert str(field.description) in text


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_is_there(path: Path) -> None:
    text = path.read_text()
    for script in re.findall(r"scripts/([a-z]+)", text):
        assert (ROOT / "scripts" / script).is_file(), f"{path.name} names scripts/{script}"
    for name in re.findall(r"(?:tests/)?(?:engine|store|service|worker|cli)/\w+\.(?:py|csv)", text):
        assert (ROOT / name).is_file(), f"{path.name} names {name}"
    for name in re.findall(r"vidro ([a-z-]+)\b", text):
        assert name in COMMANDS, f"{path.name} names vidro {name}"


HELP = subprocess.run(command("--help"), capture_output=True, text=True, check=True).stdout
COMMANDS = re.findall(r"^│ ([\w-]+) ", HELP, re.M)


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").iterdir()), ids=lambda path: path.name)
def test_a_script_opens_with_what_it_does(script: Path) -> None:
    first, second = script.read_text().splitlines()[:2]
    assert first == "#!/bin/sh"
    assert second.startswith("# ")
    assert script.stat().st_mode & 0o111
