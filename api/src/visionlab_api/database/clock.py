"""The database's clock, by which processes on several machines agree what has lapsed; their own clocks may differ, or jump."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from visionlab_api.database.tables import UtcDateTime


class from_now(FunctionElement[datetime]):  # noqa: N801 - it is used as a function of SQL
    """So many seconds from the moment at which the database gets there, not from the begin of the transaction."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(literal(seconds, Float()))


@compiles(from_now, "postgresql")
def _in_postgresql(element: from_now, compiler: SQLCompiler, **options: Any) -> str:
    return f"clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)})"


@compiles(from_now, "sqlite")
def _in_sqlite(element: from_now, compiler: SQLCompiler, **options: Any) -> str:
    # As SQLAlchemy writes moments, which SQLite compares as text.
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"
