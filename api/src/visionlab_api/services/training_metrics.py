"""How finished trainings' models were judged, kept as it was read last.

The figures of a training that is done never change, and there are many of them: to read and check those of fifty trainings costs
more than all else of a list together.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from visionlab_api.database.tables import TrainingRow
from visionlab_core.model_card import Metrics

MOST_KEPT = 512
"""Trainings; some ten KiB each."""

MetricsOf = dict[str, Metrics]
_METRICS: TypeAdapter[MetricsOf] = TypeAdapter(MetricsOf)


class TrainingMetrics:
    """Keeps the figures of the trainings that were shown last, by their uuid."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._known: OrderedDict[UUID, MetricsOf] = OrderedDict()

    async def of(self, session: AsyncSession, rows: Iterable[TrainingRow]) -> dict[UUID, MetricsOf]:
        """The figures of those of the rows that are done; the rows may be without theirs."""
        done = [row.uuid for row in rows if row.status == "done"]
        found = {uuid: self._known[uuid] for uuid in done if uuid in self._known}
        if unknown := [uuid for uuid in done if uuid not in found]:
            query = select(TrainingRow.uuid, TrainingRow.metrics).where(TrainingRow.uuid.in_(unknown))
            for uuid, metrics in await session.execute(query):
                found[uuid] = _METRICS.validate_python(metrics)
        for uuid, figures in found.items():
            self._known[uuid] = figures
            self._known.move_to_end(uuid)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return found
