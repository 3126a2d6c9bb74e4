"""Calls to the Kubernetes API: what is asked, and what its answers mean."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from visionlab_core.kubernetes import api as kubernetes_api
from visionlab_core.kubernetes.api import ApiRefused, ApiUnreachable, KubernetesApi, _PodAccess
from visionlab_core.kubernetes.objects import in_a_pod, own_namespace, owner_reference


class ApiServer:
    """Answers every call with `status` and `body`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.asked: list[tuple[str, str, dict[str, str], object]] = []
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                mine.asked.append((self.command, self.path, dict(self.headers), body))
                self.send_response(mine.status)
                self.send_header("Content-Length", str(len(mine.body)))
                self.end_headers()
                self.wfile.write(mine.body)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.host = f"http://127.0.0.1:{self._server.server_port}"
        self.pool = urllib3.PoolManager()

    def sign(self, headers: dict[str, str]) -> None:
        headers["Authorization"] = "Bearer me"

    def says(self, status: int, message: str = "") -> None:
        self.status, self.body = status, json.dumps({"kind": "Status", "message": message}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[ApiServer]:
    server = ApiServer()
    yield server
    server.close()


@pytest.fixture
def api(server) -> KubernetesApi:
    return KubernetesApi(server)


def test_each_call_says_who_calls_and_what_is_wanted(server, api):
    api.apply("/apis/apps/v1/x", {"a": 1})
    api.create("/api/v1/events", {"b": 2}, dryRun="All")
    api.delete("/api/v1/pods/p", gracePeriodSeconds=1)
    server.body = b'{"items": [{"metadata": {"name": "p"}}]}'
    assert api.list("/api/v1/pods", {"b": "2", "a": "1"})[0]["metadata"]["name"] == "p"
    (apply, create, delete, listed) = server.asked
    assert apply[:2] == ("PATCH", "/apis/apps/v1/x?fieldManager=visionlab&force=true")
    assert apply[2]["Content-Type"] == "application/apply-patch+yaml"
    assert create[:2] == ("POST", "/api/v1/events?fieldManager=visionlab&dryRun=All")
    assert delete[3] == {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "gracePeriodSeconds": 1}
    assert listed[:2] == ("GET", "/api/v1/pods?labelSelector=a%3D1%2Cb%3D2")
    assert {asked[2]["Authorization"] for asked in server.asked} == {"Bearer me"}


def test_what_is_not_there_is_none_and_need_not_be_deleted(server, api):
    server.says(404, "not found")
    assert api.get("/api/v1/pods/p") is None
    api.delete("/api/v1/pods/p")
    with pytest.raises(ApiRefused, match="not found"):
        api.call("GET", "/api/v1/pods/p")


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refusal_has_the_servers_words_and_its_status(server, api, status):
    server.says(status, "you shall not")
    with pytest.raises(ApiRefused, match="you shall not") as refused:
        api.create("/api/v1/pods", {})
    assert refused.value.status == status


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_what_may_pass_is_no_refusal(server, api, status):
    server.says(status, "not now")
    with pytest.raises(ApiUnreachable, match=f"{status}: not now"):
        api.get("/api/v1/pods/p")


def test_a_server_that_is_not_there_is_named(server, api):
    server.close()
    with pytest.raises(ApiUnreachable, match=f"{server.host} cannot be reached: .*refused"):
        api.get("/api/v1/pods/p")


def test_an_answer_that_is_no_json_can_be_tried_again(server, api):
    server.body = b"<html>"
    with pytest.raises(ApiUnreachable, match="cannot be read"):
        api.get("/api/v1/pods/p")


def test_a_watch_wakes_once_for_each_line(server, api):
    server.body = b'{"type": "ADDED"}\n{"type": "MODIFIED"}\n{"type": "BOOKM'
    assert len(list(api.watch("/api/v1/pods", {"a": "1"}))) == 2
    assert "watch=true" in server.asked[0][1]


def test_a_log_is_text_whatever_is_in_it(server, api):
    server.body = b"fine\n\xff\n"
    assert api.log("faces", "p", "c", previous=True, lines=7) == "fine\n�\n"
    assert server.asked[0][1] == "/api/v1/namespaces/faces/pods/p/log?container=c&tailLines=7&previous=true"


def test_a_pod_shows_the_token_that_it_has_now(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    (tmp_path / "token").write_text("one\n")
    access = _PodAccess(tmp_path)
    assert access.host == "https://[fd00::1]:6443"
    headers: dict[str, str] = {}
    access.sign(headers)
    assert headers == {"Authorization": "Bearer one"}
    (tmp_path / "token").write_text("two\n")
    access.sign(headers)
    assert headers == {"Authorization": "Bearer two"}


def test_a_pod_whose_token_is_gone_may_have_it_again_later(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(ApiUnreachable, match="token"):
        KubernetesApi(_PodAccess(tmp_path)).get("/api")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    with pytest.raises(ApiUnreachable, match="KUBERNETES_SERVICE_HOST"):
        _PodAccess(tmp_path)


def test_without_a_pod_and_a_kubeconfig_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(kubernetes_api, "in_a_pod", lambda: False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(ApiUnreachable, match="kubeconfig"):
        KubernetesApi.connect(tmp_path / "none")


def test_outside_of_a_cluster_the_namespace_is_default():
    assert not in_a_pod()
    assert own_namespace() == "default"


def test_an_owner_is_named_as_kubernetes_wants_it():
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "1", "labels": {}}}
    assert owner_reference(owner) == {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}
