"""What Prometheus is told; named after https://prometheus.io/docs/practices/naming/ ."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROLLOUT_BUCKETS = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of one process, in a registry of their own; times are in seconds.

    Label values come from short lists: `route` is the route's template (`/backend/images/{uuid}`), never the path asked for.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

        self.http_requests = Counter(
            "visionlab_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.http_request_seconds = self._seconds(
            "visionlab_http_request_seconds", "From the request's head to the end of the answer.", "method", "route"
        )
        self.decode_seconds = self._seconds("visionlab_decode_seconds", "From the bytes of an image file to its pixels.")
        self.inference_queue_seconds = self._seconds(
            "visionlab_inference_queue_seconds", "From the call to the start of the batch that it is in.", "model", "version"
        )
        self.inference_seconds = self._seconds("visionlab_inference_seconds", "One batch through a model.", "model", "version")
        self.inference_batch_size = Histogram(
            "visionlab_inference_batch_size",
            "Items run together.",
            ("model", "version"),
            buckets=BATCH_BUCKETS,
            registry=self.registry,
        )
        self.triton_call_seconds = self._seconds(
            "visionlab_triton_call_seconds", "From a call to Triton to its answer, with all tries.", "model", "version"
        )
        self.rollouts = Counter(
            "visionlab_rollouts", "Releases that a pool was brought to, or was not.", ("pool", "outcome"), registry=self.registry
        )
        self.rollout_seconds = Histogram(
            "visionlab_rollout_seconds",
            "From the wish to the last server that is ready.",
            ("pool",),
            buckets=ROLLOUT_BUCKETS,
            registry=self.registry,
        )
        self.repairs = Counter(
            "visionlab_repairs",
            "What somebody changed or removed of a pool and was put right.",
            ("pool",),
            registry=self.registry,
        )
        self.pool_servers = Gauge(
            "visionlab_pool_servers", "Servers of a pool that this process calls.", ("pool",), registry=self.registry
        )
        self.leads = Gauge("visionlab_leads", "1 where this process leads, else 0.", registry=self.registry)
        self.store_unusable = Gauge(
            "visionlab_store_unusable",
            "1 where the object store could not be used when last looked at, else 0.",
            registry=self.registry,
        )
        self.models_unread_seconds = Gauge(
            "visionlab_models_unread_seconds", "Since the models were last read from the database.", registry=self.registry
        )
        self.models = Gauge("visionlab_models", "Enabled models by how they fare.", ("state",), registry=self.registry)
        self.trainings = Gauge(
            "visionlab_trainings", "Trainings by status, as the leader counted them last.", ("status",), registry=self.registry
        )
        self.training_silent_seconds = Gauge(
            "visionlab_training_silent_seconds",
            "Since the running training that was quiet for longest told of its progress, as the leader saw it last.",
            registry=self.registry,
        )
        self.images_generated = Counter("visionlab_images_generated", "Faces made.", ("model",), registry=self.registry)
        self.images_classified = Counter(
            "visionlab_images_classified", "Answers given, one a model and image.", ("model",), registry=self.registry
        )
        self.answers_from_cache = Counter(
            "visionlab_answers_from_cache", "Of the answers given, those that no model had to run for.", registry=self.registry
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered, and how long it took."""
        # Looked up once: labels cost more than the observation.
        counted = self._counted.get((method, route, status))
        if counted is None:
            counted = self.http_requests.labels(method, route, str(status)), self.http_request_seconds.labels(method, route)
            self._counted[method, route, status] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def render(self) -> bytes:
        """All metrics as text for Prometheus, to be sent as `content_type`."""
        return generate_latest(self.registry)

    def _seconds(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=SECONDS_BUCKETS, registry=self.registry)
