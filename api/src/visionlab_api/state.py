"""What the routes work with, made at the start and closed at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from visionlab_api.accounts.accounts import Accounts
from visionlab_api.accounts.audit import AuditLog
from visionlab_api.accounts.rate_limits import RateLimits
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.reconcile.challenges import ChallengeLoop
from visionlab_api.reconcile.serving import ServingLoop
from visionlab_api.reconcile.store_watch import StoreWatch
from visionlab_api.reconcile.trainings import TrainingLoop
from visionlab_api.services.classifying import Classifier
from visionlab_api.services.counting import Counting
from visionlab_api.services.decoding import Decoder
from visionlab_api.services.model_uploads import ModelUploads
from visionlab_api.services.training_metrics import TrainingMetrics
from visionlab_api.services.uploads import Uploads
from visionlab_core.object_store import ObjectStore
from visionlab_core.telemetry import Metrics
from visionlab_inference.backend import InferenceBackend

if TYPE_CHECKING:
    from visionlab_api.accounts.oidc import OpenIdProvider
    from visionlab_api.services.web_pictures import WebPictures


@dataclass(frozen=True, slots=True)
class State:
    """The parts of a running facade."""

    configuration: ApiConfiguration
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    store: ObjectStore
    store_watch: StoreWatch
    backend: InferenceBackend
    serving: ServingLoop
    decoder: Decoder
    classifier: Classifier
    counting: Counting
    uploads: Uploads
    web_pictures: WebPictures | None
    accounts: Accounts
    limits: RateLimits
    audit: AuditLog
    oidc: OpenIdProvider | None
    trainings: TrainingLoop
    challenges: ChallengeLoop
    model_uploads: ModelUploads
    training_metrics: TrainingMetrics
    metrics: Metrics
