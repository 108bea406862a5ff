"""The contract that lint-imports holds the project to finds what it is there to find."""

from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.imports import circles, late_imports


def test_each_circle_is_found_once_with_the_way_round() -> None:
    graph = ImportGraph()
    for importer, imported in ("ab", "bc", "ca", "cd", "de", "ed", "fa"):
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == [["a", "b", "c", "a"], ["d", "e", "d"]]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    from own.part import g\n",
        "if TYPE_CHECKING:\n    import own.part\n",
        "try:\n    import own.part\nfinally: ...",
    ],
)
def test_an_import_of_our_own_that_does_not_stand_at_the_top_is_found(text: str, tmp_path: Path) -> None:
    file = tmp_path / "file.py"
    file.write_text(f"import own\nfrom own import part\n{text}")
    assert list(late_imports(file, {"own"})) == [f"{file} -> own.part"]
    assert list(late_imports(file, {"other"})) == []
