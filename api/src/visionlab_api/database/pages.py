"""Long lists in parts: each part begins after the last row of the one before, so that none is skipped or shown twice."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any, TypeVar

from sqlalchemy import Select, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from visionlab_api.problems import ProblemError

RowT = TypeVar("RowT")


async def read_page(
    session: AsyncSession,
    query: Select[RowT],
    order: InstrumentedAttribute[Any],
    identity: InstrumentedAttribute[int],
    *,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[RowT], str | None]:
    """A part of a list, and the cursor that leads to the next, None at the end.

    Args:
        session: to ask.
        query: all rows, without an order.
        order: the column by which they are sorted: text or numbers.
        identity: the column that decides between equal ones; it may be `order` itself.
        descending: the largest first.
        cursor: of the part before; None: from the start.
        limit: rows at the most.

    Raises:
        ProblemError: 422, the cursor is none of this list.
    """
    if cursor is not None:
        value, last = _read(cursor, order.type.python_type)
        after = [column < at if descending else column > at for column, at in ((order, value), (identity, last))]
        query = query.where(after[0] if order is identity else or_(after[0], and_(order == value, after[1])))
    columns = [order] if order is identity else [order, identity]
    sorted_query = query.order_by(*(column.desc() if descending else column.asc() for column in columns))
    rows = list(await session.scalars(sorted_query.limit(limit + 1)))
    if len(rows) <= limit:
        return rows, None
    end = rows[limit - 1]
    return rows[:limit], _write(getattr(end, order.key), getattr(end, identity.key))


def _is_number(value: object) -> bool:
    # What identities are, and no more than a database takes.
    return type(value) is int and 0 <= value < 2**31


def _write(value: object, identity: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, identity]).encode()).decode()


def _read(cursor: str, kind: type) -> tuple[Any, int]:
    try:
        value, identity = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        fits = isinstance(value, str) and value.isprintable() if kind is str else _is_number(value)
        if fits and _is_number(identity):
            return value, identity
    except (ValueError, TypeError, RecursionError):
        pass
    detail = "The cursor is none of this list: give the next_cursor of the part before, with the same sort."
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field="cursor")
