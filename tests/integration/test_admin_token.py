"""The admin token, and servers without accounts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.databases import database_url
from support.problem_details import problem_of
from support.server import ADMIN_TOKEN

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).parent / "visionlab-api"


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    url = database_url(folder).render_as_string(hide_password=False)
    environment = {**os.environ, "VISIONLAB_DATA_FOLDER": str(folder), "VISIONLAB_DATABASE_URL": url, **environment}
    return subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False)


def settings_with(server, token: str) -> int:
    return httpx.post(f"{server.url}/backend/settings", json={}, headers={"Authorization": f"Bearer {token}"}).status_code


def test_token_is_made_at_the_first_start_shown_once_and_replaced_on_demand(start_server, tmp_path):
    server = start_server(tmp_path, VISIONLAB_ADMIN_TOKEN=None)
    first = server.process.stdout.readline().removeprefix("Admin token, shown this once: ").strip()
    assert settings_with(server, first) == 200
    assert server.stop() == 0
    assert "Admin token" not in server.process.stdout.read()
    assert not any(first in line for line in server.log)
    assert not any(first.encode() in path.read_bytes() for path in server.folder.glob("visionlab.db*"))

    made = run(server.folder, "new-admin-token")
    second = made.stdout.strip()
    assert made.returncode == 0, made.stderr

    server.start()
    assert settings_with(server, first) == 401
    assert settings_with(server, second) == 200
    assert server.stop() == 0
    assert "token" not in server.process.stdout.read()


def test_token_from_the_environment_takes_the_place_of_the_one_that_was_made(start_server, tmp_path):
    made = run(tmp_path / "data", "new-admin-token").stdout.strip()
    server = start_server(tmp_path)
    assert settings_with(server, ADMIN_TOKEN) == 200
    assert settings_with(server, made) == 401
    refused = run(tmp_path / "data", "new-admin-token", VISIONLAB_ADMIN_TOKEN=ADMIN_TOKEN)
    assert refused.returncode != 0
    assert "VISIONLAB_ADMIN_TOKEN" in refused.stderr


def test_without_accounts_whoever_is_at_the_machine_is_an_admin(start_server, tmp_path):
    server = start_server(tmp_path, VISIONLAB_ADMIN_TOKEN=None, VISIONLAB_AUTH="off")
    assert server.client.get("/backend/session").json() == {
        "kind": "admin", "name": "this machine", "scopes": ["admin"], "accounts": False, "provider": None,
    }  # fmt: skip
    assert server.client.post("/backend/settings", json={}).status_code == 200
    # A page of another site, and one whose name was made to lead here.
    problem_of(server.client.post("/backend/settings", json={}, headers={"Origin": "http://evil.example"}), 403, "other-site")
    problem_of(server.client.post("/backend/settings", json={}, headers={"Host": "evil.example:80"}), 401, "sign-in-needed")
    server.process.terminate()
    assert "token" not in server.process.stdout.read()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "visionlab.example.org"])
def test_without_accounts_only_this_machine_is_listened_to(tmp_path, host):
    refused = run(tmp_path, "--host", host, VISIONLAB_AUTH="off")
    assert refused.returncode != 0
    assert "VISIONLAB_AUTH=off" in refused.stderr


def test_token_that_could_be_guessed_is_refused(tmp_path):
    refused = run(tmp_path, VISIONLAB_ADMIN_TOKEN="secret")
    assert refused.returncode != 0
    assert "admin_token" in refused.stderr
    assert "secret" not in refused.stderr
