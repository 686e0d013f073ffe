"""Statements that are run on every request: compiled once, then run on a bare connection.

Promises: the same text, types and values as SQLAlchemy gives the statement, at a tenth of what it takes to get there.
Each is a transaction of its own. Must not know: any table.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Dialect, Engine, Executable
from sqlalchemy.types import TypeEngine

from idm.lines import lines_of

Values = Mapping[str, object]
Processor = Callable[[Any], Any]


class Prepared:
    """One statement for one database. Its values are its bind parameters by name or, of an insert, its columns."""

    def __init__(self, engine: Engine, statement: Executable, *, columns: Sequence[str] | None = None) -> None:
        self._lines = lines_of(engine)
        compiled = cast(Any, statement).compile(dialect=engine.dialect, column_keys=columns)
        self._text: str = compiled.string
        self._order: Sequence[str] | None = compiled.positiontup if compiled.positional else None
        binds: Mapping[str, Any] = compiled.binds
        self._bind = processors({name: bind.type for name, bind in binds.items()}, engine.dialect, out=False)
        # What is written in the statement itself (`state = 'present'`) is a parameter to the driver as well.
        self._fixed = {name: bind.value for name, bind in binds.items() if not bind.required}
        found = {column.name: column.type for column in getattr(statement, "exported_columns", ())}
        self._row = row_of(found)
        read = processors(found, engine.dialect, out=True)
        self._read = [(place, read[name]) for place, name in enumerate(found) if name in read]

    def all(self, values: Values) -> list[Any]:
        """The rows that it finds or returns, each with its columns by name."""
        with self._lines.line() as line:
            line.cursor.execute(self._text, self._bound(values))
            return [self._row(*self._as_read(row)) for row in line.cursor.fetchall()]

    def first(self, values: Values) -> Any | None:
        """The first of them; None if there is none."""
        return next(iter(self.all(values)), None)

    def run(self, values: Values) -> int:
        """Make the change that it says; how many rows it touched."""
        with self._lines.line() as line:
            line.cursor.execute(self._text, self._bound(values))
            return int(line.cursor.rowcount)

    def _bound(self, values: Values) -> Any:
        given = {**self._fixed, **values}
        for name, process in self._bind.items():
            given[name] = process(given[name])
        return [given[name] for name in self._order] if self._order is not None else given

    def _as_read(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._read:
            return row
        values = list(row)
        for place, process in self._read:
            values[place] = process(values[place])
        return values


def row_of(names: Iterable[str]) -> Callable[..., Any]:
    """A tuple whose values have these names too."""
    return namedtuple("Row", names, rename=True)


def processors(types: Mapping[str, TypeEngine[Any]], dialect: Dialect, *, out: bool) -> dict[str, Processor]:
    """How the driver's values become ours (`out`) or ours the driver's, for those types where it is not the same."""
    of_dialect = {name: type_.dialect_impl(dialect) for name, type_ in types.items()}
    found = {
        name: one.result_processor(dialect, None) if out else one.bind_processor(dialect)
        for name, one in of_dialect.items()
    }
    return {name: process for name, process in found.items() if process}
