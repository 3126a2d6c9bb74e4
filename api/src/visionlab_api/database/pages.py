"""Long lists in parts: each part begins after the last row of the one before, so that none is skipped or shown twice."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from heapq import nlargest, nsmallest
from http import HTTPStatus
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from visionlab_api.problems import ProblemError

RowT = TypeVar("RowT")
ItemT = TypeVar("ItemT")


def cut_page(
    items: Iterable[ItemT],
    key: Callable[[ItemT], tuple[Any, int]],
    kind: type,
    *,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[ItemT], str | None]:
    """`read_page` of a list in memory.

    Args:
        items: all of them.
        key: the value by which they are sorted, and the identity that decides between equal ones.
        kind: of the value: str or int.
        descending: the largest first.
        cursor: of the part before; None: from the start.
        limit: items at the most.

    Raises:
        ProblemError: 422, the cursor is none of this list.
    """
    if cursor is not None:
        end = read_cursor(cursor, kind)
        items = (each for each in items if (key(each) < end if descending else key(each) > end))
    found = (nlargest if descending else nsmallest)(limit + 1, items, key=key)
    if len(found) <= limit:
        return found, None
    return found[:limit], write_cursor(*key(found[limit - 1]))


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
        value, last = read_cursor(cursor, order.type.python_type)
        # Compared as a whole, which databases look up in an index; not so "larger, or equal and ...".
        place, at = (identity, last) if order is identity else (tuple_(order, identity), tuple_(value, last))
        query = query.where(place < at if descending else place > at)
    columns = [order] if order is identity else [order, identity]
    sorted_query = query.order_by(*(column.desc() if descending else column.asc() for column in columns))
    rows = list(await session.scalars(sorted_query.limit(limit + 1)))
    if len(rows) <= limit:
        return rows, None
    end = rows[limit - 1]
    return rows[:limit], write_cursor(getattr(end, order.key), getattr(end, identity.key))


def write_cursor(value: object, identity: int) -> str:
    """The cursor that leads on from the row with this value, and, of those that are equal in it, this identity."""
    return base64.urlsafe_b64encode(json.dumps([value, identity]).encode()).decode()


def read_cursor(cursor: str, kind: type) -> tuple[Any, int]:
    """Value and identity of a cursor; `kind` is the value's type: str or int.

    Raises:
        ProblemError: 422, it is none of this list.
    """
    try:
        value, identity = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        fits = isinstance(value, str) and value.isprintable() if kind is str else _is_number(value)
        if fits and _is_number(identity):
            return value, identity
    except (ValueError, TypeError, RecursionError):
        pass
    detail = "The cursor is none of this list: give the next_cursor of the part before, with the same sort."
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field="cursor")


def _is_number(value: object) -> bool:
    # What identities are, and no more than a database takes.
    return type(value) is int and 0 <= value < 2**31
