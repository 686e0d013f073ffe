"""Every refusal that the code can give: the error and its sentence, read from the source.

A refusal is a call of a ProtocolError's class, or a rule that stands in a closed set of such sentences. What is filled
in at run time is written as `…`; only what is named here may be filled in, so that no sentence can repeat an input.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.house.source import Function, Module, modules

ROOT_ERROR = "ProtocolError"
SILENT = {"TokenMissing"}
"""Refused with a status and a challenge alone (RFC 6750 §3.1): nothing is told."""

FILLED_IN = {
    "name": "a parameter of ours, out of a closed list",
    "self._parameter": "a parameter of ours",
    "fault": "one of our own words on a request object",
    "error": "one of our own words on a setting of the simulators",
    "ACCESS_TOKEN": "a constant",
    "', '.join(NOT_SENT)": "a constant",
    "most // 1024": "a constant",
}
"""What may stand in a sentence, as the source has it, and why it is no input."""

RULES = ("client_rules", "encryption_rules", "fapi_rules", "grant_rules", "registration")
"""The modules whose rules on metadata are such sentences (idp/client_rules.py and its neighbours)."""
METADATA_ERROR = "invalid_client_metadata"


@dataclass(frozen=True, order=True)
class Refusal:
    """What a caller is told, and where in the source."""

    error: str
    sentence: str
    place: str = ""


class Unsaid(Exception):
    """A refusal whose sentence cannot be read from the source."""


@cache
def classes() -> dict[str, tuple[ast.ClassDef, Module]]:
    """Every class of the provider, by name."""
    return {node.name: (node, module) for module in modules("idp") for node in module.classes()}


def bases_of(name: str) -> list[str]:
    node, _ = classes()[name]
    return [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in classes()]


@cache
def is_error(name: str) -> bool:
    """Whether this class is a ProtocolError."""
    return name == ROOT_ERROR or (name in classes() and any(is_error(base) for base in bases_of(name)))


@cache
def code_of(name: str) -> str:
    """The error that it is told as, its own or that of what it is made from."""
    for statement in classes()[name][0].body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "code":
            return str(ast.literal_eval(statement.value))
    return next(code_of(base) for base in bases_of(name) if is_error(base))


def own_sentence(name: str) -> ast.expr | None:
    """The sentence that the class says itself, whatever it is called with; None if it is told one."""
    for node in ast.walk(classes()[name][0]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
            return node.args[0] if isinstance(node.args[0], ast.Constant | ast.JoinedStr) else None
    return next((own_sentence(base) for base in bases_of(name) if is_error(base) and base != ROOT_ERROR), None)


def written(expression: ast.expr, function: Function | None) -> str:
    """The sentence of an expression; Unsaid if the source does not tell it."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return expression.value
    if isinstance(expression, ast.JoinedStr):
        return "".join(part(one) for one in expression.values)
    if isinstance(expression, ast.Name) and function:
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == expression.id:
                return written(node.value, None)
    raise Unsaid(ast.unparse(expression))


def part(piece: ast.expr) -> str:
    """A piece of a sentence: its words, or `…` for what may be filled in."""
    if isinstance(piece, ast.Constant):
        return str(piece.value)
    assert isinstance(piece, ast.FormattedValue)
    filled = ast.unparse(piece.value)
    if filled not in FILLED_IN and not filled.isupper():
        raise Unsaid(filled)
    return "…"


def refusals_in(module: Module) -> Iterator[Refusal]:
    """Every refusal that is made in a module."""
    owners = {node: function for function in module.functions() for node in ast.walk(function)}
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and is_error(node.func.id)):
            continue
        name, place = node.func.id, f"{module.name}:{node.lineno}"
        said = own_sentence(name) or (node.args[0] if node.args else None)
        if name in SILENT or is_of_rules(said):
            continue
        try:
            sentence = written(said, owners.get(node)) if said else ""
        except Unsaid as fault:
            raise Unsaid(f"{place} says what cannot be read here: {fault}") from None
        yield Refusal(code_of(name), sentence, place)


def is_of_rules(said: ast.expr | None) -> bool:
    """Whether it says the first rule that is broken: those are read where they stand."""
    return said is not None and ast.unparse(said) == "faults[0]"


def rules_in(module: Module) -> Iterator[Refusal]:
    """The rules on metadata that stand in a module, each a pair of a condition and a sentence."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and is_sentence(node.elts[1]):
            sentence = rule(node.elts[1])
            yield Refusal(METADATA_ERROR, sentence, f"{module.name}:{node.lineno}")


def is_sentence(expression: ast.expr) -> bool:
    """Whether it is text that ends as a sentence does, and no name of anything."""
    if isinstance(expression, ast.JoinedStr):
        last = expression.values[-1]
        return isinstance(last, ast.Constant) and str(last.value).endswith(".")
    return isinstance(expression, ast.Constant) and str(expression.value).endswith(".")


def rule(expression: ast.expr) -> str:
    """The words of a rule; what it fills in are names and lists of ours, since a rule sees no raw input."""
    if isinstance(expression, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in expression.values)
    assert isinstance(expression, ast.Constant)
    return str(expression.value)


@cache
def all_refusals() -> tuple[Refusal, ...]:
    """Every refusal of the provider, each sentence once for each error."""
    found = [one for module in modules("idp") for one in refusals_in(module)]
    found += [one for module in modules("idp") if module.path.stem in RULES for one in rules_in(module)]
    return tuple(sorted({(one.error, one.sentence): one for one in found if one.sentence}.values()))
