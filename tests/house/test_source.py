"""The house rules that a reader would otherwise have to check by eye: signs, sizes, names, and who may know what."""

import ast
import re
from collections.abc import Callable, Iterator
from statistics import median

import pytest

from tests.house.source import ROOMS, ROOT, Definition, Function, Module, modules, size, words

PRODUCT = modules(*ROOMS)
EVERYTHING = [*PRODUCT, *modules("tests")]

# The composition root mounts by name on first use, and is where the system's clock enters.
COMPOSITION_ROOT = ("idp/__main__.py", "idp/composition.py")
CLOCK_READERS = (*COMPOSITION_ROOT, "demo/__main__.py", "demo/itsme/__main__.py", "authenticators/simulators/clock.py")

FUNCTION_LINES, FUNCTION_MEDIAN = 40, 8
FILE_LINES, FILE_MEDIAN = 300, 100
PARAMETERS, POSITIONAL = 4, 2

EMPTY_WORDS = {
    *("manager", "managers", "helper", "helpers", "util", "utils", "utility", "utilities", "common", "base"),
    *("handler", "handlers", "service", "services", "data", "info", "kit"),
}
SPECIFIED_NAMES = {"DeclarativeBase"}
"""Names that others chose."""

WIDE = ("Exception", "BaseException")
LAST_RESORTS = ("idp/errors.py", "idp/app.py")
"""Where anything unforeseen becomes `server_error` with a reference."""

OTHER_FOLDERS = {"templates", "static", "translations", "tests", "docs", "scripts"}

LEFTOVERS = ("TODO", "FIXME", "XXX", "noqa", "type: ignore", "skip(", "skipif", "importorskip", "xfail", "pragma:")

KNOWN_ONLY_IN = {
    "flask": ("idp/app.py", "idm/console/", "demo/"),
    "joserfc": ("idp/keys/jwt.py", "idp/keys/encryption.py"),
    "redis": ("idp/store_redis.py",),
    "sqlalchemy": (
        *("idm/", "idp/migrations/", "idp/database.py", "idp/store_sql.py", "idp/records"),
        *("authenticators/credentials.py", "authenticators/passkeys.py", *COMPOSITION_ROOT),
    ),
}


def hold(rule: Callable[[Module], Iterator[str]], among: list[Module] = PRODUCT) -> None:
    """No module breaks the rule; else every breach is told."""
    breaches = [breach for module in among for breach in rule(module)]
    if breaches:
        pytest.fail("\n".join(breaches), pytrace=False)


def test_every_door_has_a_sign() -> None:
    def rule(module: Module) -> Iterator[str]:
        sign = [line for line in (ast.get_docstring(module.tree) or "").splitlines() if line.strip()]
        least = 1 if module.path.name == "__init__.py" else 2
        if module.path.parent.name != "versions" and not least <= len(sign) <= 8:
            yield f"{module.name}: its docstring has {len(sign)} lines, not {least} to 8"

    hold(rule)


def test_every_public_name_makes_a_promise() -> None:
    def rule(module: Module) -> Iterator[str]:
        for node in module.public():
            if ast.get_docstring(node) is None and not is_bare(node):
                yield module.at(node, "has no docstring")

    hold(rule)


def is_bare(node: Definition) -> bool:
    """A property that is one expression, and a migration's two verbs, say it by their name."""
    if isinstance(node, ast.ClassDef):
        return False
    is_property = any(isinstance(mark, ast.Name) and mark.id == "property" for mark in node.decorator_list)
    return (is_property and len(node.body) == 1) or node.name in {"upgrade", "downgrade"}


def test_no_function_is_long() -> None:
    def rule(module: Module) -> Iterator[str]:
        for function in module.functions():
            if size(function) > FUNCTION_LINES and not is_migration(module):
                yield module.at(function, f"has {size(function)} lines")

    hold(rule)


def test_no_file_is_long() -> None:
    def rule(module: Module) -> Iterator[str]:
        if module.lines > FILE_LINES and not is_migration(module):
            yield f"{module.name} has {module.lines} lines"

    hold(rule)


def is_migration(module: Module) -> bool:
    # A migration is a record of what was done to the tables, and is not edited again.
    return "migrations/versions" in module.name


def test_most_functions_are_short() -> None:
    sizes = [size(function) for module in PRODUCT for function in module.functions()]
    assert median(sizes) <= FUNCTION_MEDIAN


def test_most_files_are_short() -> None:
    sizes = [module.lines for module in PRODUCT if module.path.name != "__init__.py"]
    assert median(sizes) <= FILE_MEDIAN


def test_functions_take_few_parameters_and_name_the_third() -> None:
    def rule(module: Module) -> Iterator[str]:
        for function in module.functions():
            positional, named = parameters(function)
            if len(positional) + len(named) > PARAMETERS:
                yield module.at(function, f"takes {len(positional) + len(named)} parameters")
            if len(positional) > POSITIONAL:
                yield module.at(function, f"takes {len(positional)} of them by position")

    hold(rule, [module for module in PRODUCT if not is_migration(module)])


def parameters(function: Function) -> tuple[list[ast.arg], list[ast.arg]]:
    """Those that may be given by position, without `self`, and those that are given by name."""
    positional = [*function.args.posonlyargs, *function.args.args]
    if positional and positional[0].arg in {"self", "cls"}:
        positional = positional[1:]
    return ([], []) if is_imposed(function) else (positional, function.args.kwonlyargs)


def is_imposed(function: Function) -> bool:
    """The language calls it, or a library does: an event of SQLAlchemy, a template's plural."""
    is_dunder = function.name.startswith("__") and function.name != "__init__"
    is_heard = any("listens_for" in ast.unparse(mark) for mark in function.decorator_list)
    return is_dunder or is_heard or function.name.endswith("ngettext")


def test_nothing_is_named_for_not_having_a_name() -> None:
    def rule(module: Module) -> Iterator[str]:
        for part in module.path.relative_to(ROOT).with_suffix("").parts:
            if words(part) & EMPTY_WORDS:
                yield f"{module.name}: {part}"
        for node in (*module.classes(), *module.functions()):
            if words(node.name) & EMPTY_WORDS and node.name not in SPECIFIED_NAMES:
                yield module.at(node)

    hold(rule)


def test_imports_stand_at_the_top() -> None:
    def rule(module: Module) -> Iterator[str]:
        for function in module.functions():
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield module.at(node, f"import inside {function.name}")

    hold(rule, [module for module in PRODUCT if module.name not in COMPOSITION_ROOT])


SYSTEM_CLOCK = re.compile(r"\b(time\.(time|time_ns)|(datetime|date)\.(now|utcnow|today)|strftime_now)\b")


def test_nobody_asks_the_system_for_the_time() -> None:
    def rule(module: Module) -> Iterator[str]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and SYSTEM_CLOCK.search(ast.unparse(node)):
                yield module.at(node, ast.unparse(node))
            if isinstance(node, ast.ImportFrom) and node.module == "time":
                yield from (module.at(node, alias.name) for alias in node.names if alias.name.startswith("time"))

    hold(rule, [module for module in PRODUCT if module.name not in CLOCK_READERS])


@pytest.mark.parametrize(("library", "rooms"), KNOWN_ONLY_IN.items())
def test_a_library_is_known_only_in_its_rooms(library: str, rooms: tuple[str, ...]) -> None:
    def rule(module: Module) -> Iterator[str]:
        for node, name in module.imported():
            if name.split(".")[0] == library and not module.name.startswith(rooms):
                yield f"{module.name}:{getattr(node, 'lineno', 0)} imports {name}"

    hold(rule)


def test_times_end_in_at_and_days_in_on() -> None:
    wrong = {"_at": re.compile(r"\bdate\b"), "_on": re.compile(r"\b(int|float|datetime)\b")}

    def rule(module: Module) -> Iterator[str]:
        for node, name, annotation in annotated(module):
            kind = wrong.get(name[-3:])
            if kind and kind.search(ast.unparse(annotation)):
                yield module.at(node, f"{name}: {ast.unparse(annotation)}")

    hold(rule)


def annotated(module: Module) -> Iterator[tuple[ast.stmt | ast.arg, str, ast.expr]]:
    """Every name that is declared with a type."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name | ast.Attribute):
            name = node.target.id if isinstance(node.target, ast.Name) else node.target.attr
            yield node, name, node.annotation
        elif isinstance(node, ast.arg) and node.annotation:
            yield node, node.arg, node.annotation


def test_nothing_is_left_for_later() -> None:
    own = "tests/house/"

    def rule(module: Module) -> Iterator[str]:
        for number, line in enumerate(module.text.splitlines(), 1):
            if any(re.search(rf"(?<!\w){re.escape(leftover)}", line) for leftover in LEFTOVERS):
                yield f"{module.name}:{number} {line.strip()}"

    hold(rule, [module for module in EVERYTHING if not module.name.startswith(own)])


def test_no_error_is_swallowed_whole() -> None:
    def rule(module: Module) -> Iterator[str]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in WIDE):
                yield f"{module.name}:{node.lineno} catches everything"

    hold(rule, [module for module in PRODUCT if module.name not in LAST_RESORTS])


def test_the_map_names_every_room() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    packages = {module.path.parent.relative_to(ROOT).as_posix() for module in PRODUCT}
    rooms = {package for package in packages if "migrations/" not in package} | OTHER_FOLDERS
    missing = [room for room in sorted(rooms) if f"{room}/" not in readme]
    if missing:
        pytest.fail(f"README.md does not name {', '.join(missing)}", pytrace=False)
