"""Long lists are read by their indexes, never as a whole: what the routes really ask is explained by the database."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import UUID

import httpx
import pytest
from lists import List, all_lists
from long_lists import ME, fill
from sqlalchemy import create_engine, event, select
from support.databases import KINDS, database_url
from support.tiny_models import detector_card, generator_card

from visionlab_api.app import create_app
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.leases import is_free
from visionlab_api.database.tables import ChallengeRow, DatasetRow, TrainingRow, UploadRow
from visionlab_api.services.challenges import OPEN

IMAGES, OTHERS = 10_000, 200
ENOUGH = 1000
"""Rows that may be looked through or sorted: a list is never so long that this is felt."""

asked: ContextVar[list[tuple[str, Any]] | None] = ContextVar("asked", default=None)

LOOPS = {
    "data sets to read": select(DatasetRow.uuid)
    .where(DatasetRow.state.in_(["pending", "reading"]), is_free(DatasetRow))
    .order_by(DatasetRow.id),
    "the queue": select(TrainingRow.id)
    .where(TrainingRow.status == "pending", TrainingRow.wish == "run")
    .order_by(TrainingRow.id),
    "challenges that go on": select(ChallengeRow.uuid)
    .where(ChallengeRow.state.in_(OPEN), is_free(ChallengeRow))
    .order_by(ChallengeRow.id),
    "uploads of a data set": select(UploadRow).where(UploadRow.claimed_by == UUID(int=5)),
}


@pytest.fixture(scope="module", params=KINDS)
def full(request, tmp_path_factory):
    """A database with enough in it that its planner prefers indexes, and knows it (ANALYZE)."""
    folder = tmp_path_factory.mktemp("full")
    url = database_url(folder, request.param)
    fill(url, images=IMAGES, models=20, others=OTHERS, cards={"detector": detector_card(b""), "generator": generator_card(b"")})
    return folder, url


async def test_no_list_looks_through_a_table(full):
    folder, url = full
    app = create_app(
        ApiConfiguration(
            data_folder=folder, database_url=url.render_as_string(hide_password=False), starter_models=None, ui_folder=None,
            auth="off", host="127.0.0.1", trainings_at_once=0, upload_days=0, audit_days=0,
        )
    )  # fmt: skip
    found: dict[str, list[tuple[str, Any]]] = {}
    async with app.router.lifespan_context(app):
        event.listen(app.state.visionlab.engine.sync_engine, "before_cursor_execute", note)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            client.cookies.set("visionlab_visitor", str(ME))
            for each in all_lists():
                found |= await statements_of(client, each)
    assert len(found) > 50
    bad = {name: why for name, statements in found.items() for each in statements if (why := objection(url, *each))}
    assert not bad, "\n\n".join(f"{name}: {why}" for name, why in bad.items())


@pytest.mark.parametrize("name", LOOPS)
def test_no_loop_looks_through_a_table(full, name):
    _, url = full
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    statements: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *of: statements.append((of[2], of[3])))
    with engine.connect() as connection:
        connection.execute(LOOPS[name]).all()
    engine.dispose()
    assert not [why for each in statements if (why := objection(url, *each))]


def note(connection, cursor, statement, parameters, context, many) -> None:
    if (statements := asked.get()) is not None and statement.startswith("SELECT"):
        statements.append((statement, parameters))


async def statements_of(client: httpx.AsyncClient, each: List) -> dict[str, list[tuple[str, Any]]]:
    """What the database is asked for the first part of a list, and for the next."""
    found, more = {}, {}
    for part in ("first", "next"):
        statements: list[tuple[str, Any]] = []
        token = asked.set(statements)
        answer = await client.get(each.path, params=each.query | more)
        asked.reset(token)
        assert answer.status_code == 200, answer.text
        found[f"{each}, {part}"] = statements
        body = answer.json()
        cursor = body.get("next_cursor") if isinstance(body, dict) else None
        if cursor is None:
            break
        more = {"cursor": cursor}
    return found


def objection(url, statement: str, parameters: Any) -> str | None:
    """What is wrong with a statement's plan; None where nothing is."""
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    try:
        with engine.connect() as connection:
            if url.get_backend_name() == "sqlite":
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                plan = [row[-1] for row in rows]
                # The audit log is in the order in which it is shown, so what is shown first is read first.
                long = ("SCAN images", "SCAN dataset_files", "SCAN models")
                wrong = [line for line in plan if line.startswith(long) and "USING" not in line]
                return f"{wrong} in {plan} of {statement}" if wrong else None
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()[0]["Plan"]
            wrong = [node for node in nodes(plan) if reads(node) > ENOUGH]
            return f"{wrong} of {statement}" if wrong else None
    finally:
        engine.dispose()


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes(part))]


def reads(node: dict[str, Any]) -> float:
    """How many rows a part of a plan of PostgreSQL looks through, where it takes them one by one from a table, or sorts them."""
    rows = node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    if node["Node Type"] == "Seq Scan":
        return rows
    if node["Node Type"] == "Sort":
        return sum(part["Actual Rows"] * part["Actual Loops"] for part in node["Plans"])
    return node.get("Rows Removed by Filter", 0)
