"""Every text that people read has a Portuguese one: all that is registered, and every template in the code."""

import ast
import re
from collections.abc import Callable, Iterator
from inspect import cleandoc
from pathlib import Path
from string import Formatter

import pytest
from pydantic import TypeAdapter

import engine
import store
import worker
from engine.catalog import catalog, schema_in
from engine.glass.landscapes import LANDSCAPES
from engine.spec import heading, members
from engine.tables.samples import Sample
from service.portuguese import PORTUGUESE_TEXTS
from service.portuguese.stored import STORED
from store.formats.dialect import PLURAL
from store.job_request import REQUEST

SLOT = re.compile(r"\{[^}]*\}")
LETTER = re.compile(r"[^\W\d_]")
SAME = {
    "Adagrad", "Adam", "AdamW", "AlexNet", "Beale", "Beta", "Beta 1", "Beta 2", "C3", "Classes", "Delta", "Dropout",
    "ELU", "F1 (macro)", "GELU", "He, normal", "Himmelblau", "Hinge", "Huber", "K", "L1", "L2", "LeNet-5", "Nesterov",
    "Normal", "Perceptron", "Pooling", "R²", "RMSProp", "Rastrigin", "ReLU", "Rho", "Rosenbrock", "SiLU", "Softmax",
    "Softplus", "Xavier, normal", "Zeros", "null", "decimal '{decimal}'",
}  # fmt: skip
"""Names and words that are the same in both languages."""


def registered() -> Iterator[str]:
    """Every text of the catalog, of a job's schema, of samples and of landscapes."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    catalog(note)
    schema_in(REQUEST.json_schema(), note)
    for cls in members(Sample):
        found.extend((cls.heading(), cls.summary(), cleandoc(cls.__doc__ or "")))  # type: ignore[attr-defined]
        schema_in(TypeAdapter(cls).json_schema(), note)
    for landscape in LANDSCAPES.values():
        found.extend((heading(landscape.name), landscape.summary()))
    yield from found


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in (engine, store, worker):
        for path in Path(package.__path__[0]).rglob("*.py"):
            if path.name != "wording.py":
                yield path, ast.parse(path.read_text())


SOURCES = list(sources())


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    for path, module in SOURCES:
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield path, node


def templates() -> Iterator[str]:
    """Every template in the code."""
    for _, call in calls("say", "template"):
        if isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value)


TEXTS = list(dict.fromkeys([*registered(), *templates()]))


@pytest.mark.parametrize("texts", [registered, templates])
def test_no_text_is_without_its_portuguese(texts: Callable[[], Iterator[str]]) -> None:
    found = set(texts())
    assert len(found) > 100
    assert [text for text in found if LETTER.search(SLOT.sub("", text)) and text not in PORTUGUESE_TEXTS] == []


def test_no_portuguese_is_without_its_text() -> None:
    assert set(PORTUGUESE_TEXTS) - set(TEXTS) == set(STORED)


def test_portuguese_is_portuguese() -> None:
    assert {text for text, portuguese in PORTUGUESE_TEXTS.items() if text == portuguese} == SAME
    for text, portuguese in PORTUGUESE_TEXTS.items():
        assert text.endswith(".") == portuguese.endswith("."), text
        assert text[:1].isspace() == portuguese[:1].isspace(), text
        assert text.count("\n\n") == portuguese.count("\n\n"), text


def slots(text: str) -> set[tuple[str, str]]:
    return {(name, form or "") for _, name, form, _ in Formatter().parse(text) if name is not None}


def test_a_template_keeps_its_values() -> None:
    """Words of English grammar alone may be left out."""
    for text in templates():
        lost = slots(text) ^ slots(PORTUGUESE_TEXTS.get(text, text))
        assert {name for name, _ in lost} <= set(PLURAL), text


def test_every_template_is_a_literal() -> None:
    """One that is made at run time could not be found here: `template` marks literals that are said later."""
    for path, call in calls("say", "template"):
        first = call.args[0]
        is_marked = isinstance(first, ast.Name | ast.IfExp)
        assert isinstance(first, ast.Constant) or is_marked, f"{path}:{call.lineno}"


def test_every_warning_is_made_of_a_template() -> None:
    """None is a dictionary with a code and a detail of its own; errors are, and how they are stored."""
    for path, module in SOURCES:
        for node in ast.walk(module):
            if isinstance(node, ast.Dict):
                keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
                assert not {"code", "detail"} <= keys or path.name in ("errors.py", "reader.py"), f"{path}:{node.lineno}"
