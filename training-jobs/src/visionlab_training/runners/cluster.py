"""A namespace of a cluster, as far as runners need it: failures as sentences."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from visionlab_core.kubernetes.api import ApiRefused, ApiUnreachable, KubernetesApi
from visionlab_core.kubernetes.objects import Json, own_namespace
from visionlab_training.runners.contract import RunnerUnavailable

_FORBIDDEN, _NOT_FOUND = 403, 404


class Refused(RunnerUnavailable):
    """The API server answered, and said no; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """A namespace of a cluster: that of this pod, or of the kubeconfig of this machine. Connects with the first call.

    Args:
        namespace: in place of the pod's own.
        kubeconfig: in place of the pod's ServiceAccount.
    """

    def __init__(self, namespace: str | None = None, *, kubeconfig: Path | None = None) -> None:
        self.namespace = namespace or own_namespace()
        self._kubeconfig = kubeconfig
        self._api: KubernetesApi | None = None
        self._lock = Lock()

    def get(self, path: str, **query: str) -> Json | None:
        """An object or a list; None: there is none."""
        try:
            return self.call("GET", path, query=query)
        except Refused as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def items(self, path: str, **query: str) -> list[Json]:
        """The objects of a list."""
        found: list[Json] = self.call("GET", path, query=query).get("items", [])
        return found

    def delete(self, path: str, **options: object) -> None:
        """Delete an object with these DeleteOptions, where it is still there."""
        try:
            self.call("DELETE", path, body={"apiVersion": "v1", "kind": "DeleteOptions", **options})
        except Refused as error:
            if error.status != _NOT_FOUND:
                raise

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """See `KubernetesApi.call`. In the path, `{namespace}` is filled in.

        Raises:
            Refused: the API server says no.
            RunnerUnavailable: it does not answer, or there is no cluster.
        """
        try:
            api = self._connected()
            return api.call(
                method, path.replace("{namespace}", self.namespace), query=query, body=body, content_type=content_type
            )
        except ApiUnreachable as error:
            raise RunnerUnavailable(f"Kubernetes: {error}.") from error
        except ApiRefused as error:
            if error.status == _FORBIDDEN and "cannot " in str(error):
                help_ = "The Role of the controller's ServiceAccount has to allow it: see docs/training.md, On Kubernetes."
                why = f"The Kubernetes API server does not let VisionLab do this: {error}. {help_}"
                raise Refused(error.status, why) from error
            raise Refused(error.status, f"The Kubernetes API server refused it: {error}") from error

    def _connected(self) -> KubernetesApi:
        with self._lock:
            if self._api is None:
                self._api = KubernetesApi.connect(self._kubeconfig)
            return self._api
