"""`visionlab-controller` does what is wished for, for a server that only answers."""

from __future__ import annotations

import sys

import pytest
from support.archives import face, zip_of
from support.controller import Controller
from support.tus import upload_file
from support.waiting import block_until

from visionlab_api.controller.cli import main


@pytest.fixture
def server(start_server, tiny_models):
    return start_server(tiny_models, VISIONLAB_CONTROL_LOOPS="off")


@pytest.fixture
def controller(server):
    controller = Controller.of(server).start()
    yield controller
    controller.close()


def test_what_a_server_leaves_undone_the_controller_does(server, request):
    assert server.client.get("/backend/status").json()["ready"], "models are served without it"
    upload = upload_file(server.admin, "faces.zip", zip_of({"human/one.jpg": face(1), "anime/two.jpg": face(2)}))
    added = server.admin.post("/backend/dataset", json={"name": "faces", "type": "detector", "uploads": [upload]})
    assert added.status_code in (201, 202), added.text
    where = f"/backend/dataset/{added.json()['uuid']}/report"
    assert server.admin.get(where).json()["state"] == "pending"
    controller = request.getfixturevalue("controller")
    block_until(lambda: server.admin.get(where).json()["state"] not in ("pending", "reading"))
    assert controller.get("/healthz").text == "ok"
    block_until(lambda: controller.leads)
    assert "visionlab_leads 0.0" in server.admin.get("/metrics").text
    assert controller.stop() == 0


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("STORE_URL", "file:///tmp/store", "needs VISIONLAB_STORE_URL=s3://"),
        ("KSERVE_TEMPLATE", "/no/such/file", "VISIONLAB_KSERVE_TEMPLATE: .* cannot be read"),
        ("KUBERNETES_NAME", "x" * 41, "cannot begin names in Kubernetes"),
    ],
)
def test_settings_that_cannot_be_are_refused(setting, value, says, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["visionlab-controller"])
    for name, given in {"SERVING": "kserve", "STORE_URL": "s3://bucket/lab", setting: value}.items():
        monkeypatch.setenv(f"VISIONLAB_{name}", given)
    with pytest.raises(SystemExit, match=says):
        main()
