"""All loops that make the world agree with the rows: run by `visionlab-api`, or by `visionlab-controller` in its place."""

from __future__ import annotations

import asyncio
from functools import partial

from visionlab_api.accounts.accounts import Accounts
from visionlab_api.accounts.audit import AuditLog
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.leader import leader_of
from visionlab_api.foundation import Foundation
from visionlab_api.reconcile.backends import open_kserve_pools
from visionlab_api.reconcile.challenges import ChallengeLoop
from visionlab_api.reconcile.clocks import Clocks
from visionlab_api.reconcile.datasets import DatasetLoop
from visionlab_api.reconcile.deploying import DeployingLoop
from visionlab_api.reconcile.models import SECONDS_BETWEEN_SWEEPS, ModelSweep
from visionlab_api.reconcile.orphans import SECONDS_BETWEEN_STORE_SWEEPS, OrphanSweep
from visionlab_api.reconcile.periodic import Periodic
from visionlab_api.reconcile.retention import SECONDS_BETWEEN_ROUNDS, Retention
from visionlab_api.reconcile.training_counts import SECONDS_BETWEEN_COUNTS, TrainingCounts
from visionlab_api.reconcile.trainings import TrainingLoop
from visionlab_api.services.deletion import remove_deleted
from visionlab_api.services.uploads import Uploads
from visionlab_core.object_store import ObjectStore
from visionlab_training.runners import Cluster, KubernetesRunner, LocalRunner, TrainingRunner

LONGEST_ROUND_SECONDS = 120.0
"""A loop that has done no round for so long hangs."""


class ControlLoops:
    """The loops of a process. What serves models in the process itself is not one of them.

    Args:
        foundation: what they stand on.
        uploads: which of them sweeps away what expires.
        accounts: of which sessions expire.
        audit: of which old entries go.
    """

    def __init__(self, foundation: Foundation, uploads: Uploads, accounts: Accounts, audit: AuditLog) -> None:
        configuration, sessions, store = foundation.configuration, foundation.sessions, foundation.store
        self._leader = leader = leader_of(configuration.resolved_database_url(), sessions)
        foundation.metrics.leads.set_function(lambda: float(leader.leads))
        runner = training_runner(configuration, store)
        self.trainings = TrainingLoop(sessions, store, runner, at_once=configuration.trainings_at_once)
        """Others of the process may wake it; it does nothing before the start."""
        self.challenges = ChallengeLoop(sessions, store, audit, leader, configuration.extra_architectures)
        """The same."""
        self._datasets = DatasetLoop(sessions, store, configuration)
        # Every minute, more often where uploads expire sooner than that.
        upload_pause = min(60.0, max(0.5, configuration.upload_expiry_seconds / 4))
        retention = Retention(sessions, store, accounts, audit, upload_days=configuration.upload_days)
        clocks = Clocks(sessions)
        sweep_models = ModelSweep(sessions, store).sweep
        sweep_store = OrphanSweep(sessions, store, hours=configuration.orphan_hours).sweep
        count_trainings = TrainingCounts(sessions, foundation.metrics).count
        remove = partial(remove_deleted, sessions, store)
        self._periodic = [
            Periodic("sweep of the uploads", leader, upload_pause, uploads.sweep, clocks=clocks),
            Periodic("sweep of the models", leader, SECONDS_BETWEEN_SWEEPS, sweep_models, clocks=clocks),
            Periodic("sweep of the store", leader, SECONDS_BETWEEN_STORE_SWEEPS, sweep_store, clocks=clocks),
            Periodic("count of the trainings", leader, SECONDS_BETWEEN_COUNTS, count_trainings),
            Periodic("removal of deleted images", leader, SECONDS_BETWEEN_ROUNDS, remove),
            Periodic("removal of what is old", leader, SECONDS_BETWEEN_ROUNDS, retention.round, clocks=clocks),
        ]
        self._deploying: DeployingLoop | None = None
        if configuration.serving == "kserve":
            open_pools = partial(open_kserve_pools, configuration, store, foundation.metrics)
            self._deploying = DeployingLoop(sessions, store, leader, open_pools, configuration.pool_plan())

    @property
    def turn(self) -> bool:
        """Whether all loops go round, whether this process leads or not."""
        return self._deploying is None or self._deploying.seconds_since_a_round < LONGEST_ROUND_SECONDS

    async def start(self) -> None:
        """Begin with what a former process left."""
        self._datasets.start()
        self.trainings.start()
        await self._leader.start()
        self.challenges.start()
        for each in self._periodic:
            each.start()
        if self._deploying is not None:
            self._deploying.start()

    async def stop(self) -> None:
        """Stop them; what they were at is for the next process."""
        # All at once: where the database hangs, each waits until it is given up.
        loops = self.challenges.stop(), self.trainings.stop(), self._datasets.stop()
        await asyncio.gather(*loops, *(each.stop() for each in self._periodic))
        if self._deploying is not None:
            await self._deploying.stop()
        await self._leader.stop()


def training_runner(configuration: ApiConfiguration, store: ObjectStore) -> TrainingRunner:
    """What runs trainings."""
    s3 = configuration.s3_settings()
    if configuration.trainings == "kubernetes":
        assert configuration.job_template is not None
        return KubernetesRunner(
            store,
            configuration.resolved_store_url(),
            Cluster(configuration.kubernetes_namespace),
            prefix=configuration.kubernetes_name,
            template=configuration.job_template,
            command=configuration.train_command,
            owner=configuration.kubernetes_owner,
            # Manifests can be read by many: the keys come from a Secret that the template names.
            environment=s3.model_copy(update={"access_key": None, "secret_key": None, "create_bucket": False}).to_environment(),
        )
    return LocalRunner(
        store,
        configuration.resolved_store_url(),
        configuration.data_folder / "trainings",
        command=configuration.train_command,
        memory=configuration.training_memory_bytes,
        nice=configuration.training_nice,
        environment=s3.to_environment(),
    )
