"""The Kubernetes API in plain dicts: only what VisionLab asks of it.

In a pod, the API server's address, its certificate and the token are where Kubernetes puts them, and nothing else is needed
(https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/). Elsewhere the package `kubernetes` reads the kubeconfig,
with all the ways there are to sign in; it takes 75 MB of an image and 40 MB of memory, most of it for typed objects that are not
used here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, Self
from urllib.parse import urlencode

import urllib3

from visionlab_core.kubernetes.objects import SERVICE_ACCOUNT, Json, in_a_pod, selector

FIELD_MANAGER: Final = "visionlab"
MERGE_PATCH: Final = "application/merge-patch+json"
_APPLY_PATCH: Final = "application/apply-patch+yaml"
_CONNECT_SECONDS: Final = 3.0
_READ_SECONDS: Final = 15.0
_WATCH_SECONDS: Final = 30
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_NOT_FOUND: Final = 404
_UNAUTHORIZED: Final = 401


class ApiUnreachable(ConnectionError):
    """The API server cannot be reached, or cannot do its work now: the same call may succeed later."""


class ApiRefused(RuntimeError):
    """The API server will not do it, however often it is asked. `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Access(Protocol):
    """Where the API server is, and who calls it."""

    host: str
    """Its address: `https://host[:port]`."""
    pool: urllib3.PoolManager
    """Connections that trust its certificate, and show ours where we have one."""

    def sign(self, headers: dict[str, str]) -> None:
        """Add to the headers of a call who makes it."""


class KubernetesApi:
    """Calls the API server; all methods block, and may be called from several threads.

    Raises:
        ApiUnreachable: from every call.
        ApiRefused: from every call: it is not allowed, not valid, or of a kind that the cluster does not know.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    @classmethod
    def connect(cls, kubeconfig: Path | None = None) -> Self:
        """The cluster of a kubeconfig; None: that which this process runs in, or else that of the user's kubeconfig.

        Raises:
            ApiUnreachable: there is none.
        """
        if kubeconfig is None and in_a_pod():
            return cls(_PodAccess(SERVICE_ACCOUNT))
        return cls(_KubeconfigAccess(kubeconfig))

    def get(self, path: str) -> Json | None:
        """An object; None where there is none."""
        try:
            return self.call("GET", path)
        except ApiRefused as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def list(self, path: str, labels: Mapping[str, str] | None = None, **query: str) -> list[Json]:
        """The objects of a kind that have these labels."""
        found = self.call("GET", path, query={**({"labelSelector": selector(labels)} if labels else {}), **query})
        return list(found.get("items") or [])

    def apply(self, path: str, manifest: Json) -> Json:
        """Make the object have what the manifest says (server-side apply), whoever said otherwise; gives the whole object."""
        words = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return self.call("PATCH", path, query=words, body=manifest, content_type=_APPLY_PATCH)

    def create(self, path: str, manifest: Json, **query: str) -> Json:
        """Make a new object."""
        return self.call("POST", path, query={"fieldManager": FIELD_MANAGER, **query}, body=manifest)

    def delete(self, path: str, **options: object) -> None:
        """Remove an object, if there is one, with these DeleteOptions; by default what it owns follows."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **options}
        try:
            self.call("DELETE", path, body=body)
        except ApiRefused as error:
            if error.status != _NOT_FOUND:
                raise

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """The end of what a container wrote; `previous`: before it was started again."""
        query = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        response = self._request("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query)
        data: bytes = response.data
        return data.decode(errors="replace")

    def watch(self, path: str, labels: Mapping[str, str]) -> Iterator[None]:
        """Something for each change to these objects; ends by itself after half a minute."""
        query = {
            "labelSelector": selector(labels),
            "watch": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        response = self._request("GET", path, query, read_seconds=_WATCH_SECONDS + 5.0)
        try:
            # A line for each change. What it was is of no interest: who is woken looks at everything.
            for _ in _lines(response):
                yield
        except urllib3.exceptions.HTTPError as error:
            raise ApiUnreachable(str(error)) from error
        finally:
            response.release_conn()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Any call, and its answer.

        Args:
            method: of HTTP.
            path: from the root on: `/apis/batch/v1/namespaces/faces/jobs`.
            query: parameters.
            body: an object.
            content_type: of the body.
        """
        response = self._request(method, path, query or {}, body=body, content_type=content_type)
        try:
            answer: Json = json.loads(response.data)
        except (ValueError, urllib3.exceptions.HTTPError) as error:
            raise ApiUnreachable(f"the API server's answer cannot be read: {error}") from error
        return answer

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Json | None = None,
        content_type: str = "application/json",
        read_seconds: float = _READ_SECONDS,
    ) -> Any:
        headers = {"Accept": "application/json, text/plain"}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            self._access.sign(headers)
            response = self._access.pool.request(
                method,
                f"{self._access.host}{path}?{urlencode(query)}",
                headers=headers,
                body=None if body is None else json.dumps(body),
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds),
                preload_content=False,
                # Whoever calls knows what is worth another try, and when.
                retries=False,
            )
            if response.status < 400:
                return response
            data = response.data
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiUnreachable(f"the API server at {self._access.host} cannot be reached: {_cause(error)}") from error
        message = _message(data) or f"HTTP status {response.status}"
        if response.status >= _SERVER_ERROR or response.status in (_TOO_MANY, _UNAUTHORIZED):
            # Unauthorized too: a token that has expired is replaced on disk, and an API server that starts knows none.
            raise ApiUnreachable(f"the API server answers {response.status}: {message}")
        raise ApiRefused(response.status, message)


class _PodAccess:
    """That of the ServiceAccount of this pod."""

    def __init__(self, folder: Path) -> None:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise ApiUnreachable("this pod is not told where the API server is: KUBERNETES_SERVICE_HOST is not set")
        self.host = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        # Watches hold a connection each.
        self.pool = urllib3.PoolManager(maxsize=16, ca_certs=str(folder / "ca.crt"))
        self._token = folder / "token"

    def sign(self, headers: dict[str, str]) -> None:
        """See `Access`."""
        # Each time anew: it is replaced before it expires, after an hour.
        headers["Authorization"] = f"Bearer {self._token.read_text(encoding='ascii').strip()}"


class _KubeconfigAccess:
    """That of a context of a kubeconfig."""

    def __init__(self, kubeconfig: Path | None) -> None:
        # Imported only where it is needed: two seconds, and a package that is not everywhere.
        try:
            from kubernetes import client, config
        except ImportError as error:
            raise ApiUnreachable(
                "this process is in no cluster, and to read a kubeconfig the package `kubernetes` must be installed"
            ) from error
        settings = client.Configuration()
        try:
            config.load_kube_config(None if kubeconfig is None else str(kubeconfig), client_configuration=settings)
        except (config.ConfigException, OSError) as error:
            raise ApiUnreachable(f"this process is in no cluster, and there is no kubeconfig: {error}") from error
        self._client = client.ApiClient(settings)
        self.host = settings.host
        self.pool = self._client.rest_client.pool_manager

    def sign(self, headers: dict[str, str]) -> None:
        """See `Access`."""
        self._client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)


def _lines(response: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(amt=None, decode_content=False):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _message(data: bytes) -> str:
    try:
        return str(json.loads(data).get("message", ""))
    except (ValueError, AttributeError):
        return data[:500].decode(errors="replace")


def _cause(error: BaseException) -> str:
    """What went wrong, without the words of the libraries that passed it on."""
    reason = getattr(error, "reason", None)
    return str(reason if isinstance(reason, BaseException | str) else error).strip().rpartition(": ")[2]
