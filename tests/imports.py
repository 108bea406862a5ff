"""A contract for import-linter: no circle of imports among the project's modules, and no import that could hide one.

It looks at every import that a file spells, those within functions and those for type checkers alone included.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

LATE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.Try)


class NoCircles(Contract):
    """Fails on each circle of imports, and on each late import of our own that `late` does not list as FILE -> MODULE."""

    type_name = "no_circles"
    late = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        listed: Any = self.late
        allowed = set(listed or ())
        roots = {module.split(".")[0] for module in graph.modules if not graph.is_module_squashed(module)}
        found = {late for root in roots for path in sorted(Path(root).rglob("*.py")) for late in late_imports(path, roots)}
        told = {"circles": circles(graph), "late": sorted(found - allowed), "gone": sorted(allowed - found)}
        return ContractCheck(kept=not any(told.values()), metadata=told)

    def render_broken_contract(self, check: ContractCheck) -> None:
        for circle in check.metadata["circles"]:
            output.print_error(f"a circle of imports: {' -> '.join(circle)}")
        for late in check.metadata["late"]:
            output.print_error(f"an import within a function or for type checkers alone: {late}")
        for late in check.metadata["gone"]:
            output.print_error(f"`late` lists what no file has: {late}")


def circles(graph: ImportGraph) -> list[list[str]]:
    """A shortest circle through each module that is on one, each circle once, the module that closes it at both ends."""
    found: dict[frozenset[str], list[str]] = {}
    for module in sorted(graph.modules):
        ways = (graph.find_shortest_chain(other, module) for other in sorted(graph.find_modules_directly_imported_by(module)))
        shortest = min((way for way in ways if way), key=len, default=None)
        if shortest:
            found.setdefault(frozenset(shortest), [module, *shortest])
    return list(found.values())


def late_imports(path: Path, roots: set[str]) -> Iterator[str]:
    """The imports of modules of the roots that do not stand at the top of the file, as FILE -> MODULE."""

    def walk(node: ast.AST, late: bool) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if late and isinstance(child, ast.Import | ast.ImportFrom):
                names: list[Any] = [child.module] if isinstance(child, ast.ImportFrom) else [name.name for name in child.names]
                yield from (f"{path} -> {name}" for name in names if name and name.split(".")[0] in roots)
            yield from walk(child, late or isinstance(child, LATE))

    yield from walk(ast.parse(path.read_text()), late=False)
