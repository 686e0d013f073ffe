"""The source as the house rules see it: files, and the functions and classes in them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("idp", "authenticators", "claims", "idm", "demo")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True)
class Module:
    """One file of Python."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        """As it is written in an address: `idp/flows/login.py`."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        yield from (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        yield from (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def public(self, parent: ast.Module | ast.ClassDef | None = None) -> Iterator[Definition]:
        """The public functions, classes and methods; what stands within a function is nobody else's business."""
        for node in (parent or self.tree).body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                yield node
                if isinstance(node, ast.ClassDef):
                    yield from self.public(node)

    def imported(self) -> Iterator[tuple[ast.AST, str]]:
        """Each import with the dotted name of the module that it brings in."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node, node.module or ""

    def at(self, node: ast.stmt | ast.expr | ast.arg, complaint: str = "") -> str:
        """Where the node stands, and what is wrong with it."""
        return f"{self.name}:{node.lineno} {getattr(node, 'name', '')} {complaint}".rstrip()


def modules(*folders: str) -> list[Module]:
    """All modules in these folders of the project."""
    return [Module(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def size(function: Function) -> int:
    """Lines from `def` to the end, without the docstring: promises are not what makes a function long."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    sentence = function.body[0]
    return lines - ((sentence.end_lineno or 0) - sentence.lineno + 1)


def words(name: str) -> set[str]:
    """The words of a name, lower case: `OutboxHandler`, `outbox_handler` → outbox, handler."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-.]", " ", name)
    return set(spaced.lower().split())
