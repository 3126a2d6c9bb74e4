"""What is done again and again, by the leader alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from visionlab_api.database.leader import Leader
from visionlab_api.reconcile.clocks import Clocks
from visionlab_api.reconcile.loop import Loop


class Periodic(Loop):
    """A loop whose rounds are done while this process leads.

    Args:
        name: see `Loop`.
        leader: of the database.
        seconds: between rounds.
        round_: see `Loop`.
        clocks: for what removes by age: it waits while these do not agree.
    """

    def __init__(
        self,
        name: str,
        leader: Leader,
        seconds: float,
        round_: Callable[[], Awaitable[object]],
        *,
        clocks: Clocks | None = None,
    ) -> None:
        super().__init__(name, seconds, self._round_if_due)
        self._leader = leader
        self._round = round_
        self._clocks = clocks

    async def _round_if_due(self) -> None:
        if self._leader.leads and (self._clocks is None or await self._clocks.agree()):
            await self._round()
