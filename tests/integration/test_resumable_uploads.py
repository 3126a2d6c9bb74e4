"""Resumable uploads at /backend/file/upload (tus 1.0), with a client library of others and by hand."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import re
import resource
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from support.problem_details import problem_of
from support.server import ADMIN_TOKEN, Server
from support.tus import PIECE, TUS, UPLOADS, begin, metadata, offset_of, send, stored, unfinished_piece
from support.waiting import block_until
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

MIB = 2**20
DATA = random.Random(5).randbytes(300_000)

AS_ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.fixture
def client(admin: httpx.Client) -> httpx.Client:
    """Data sets and large files are an admin's business."""
    return admin


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def test_what_it_can_do_is_told(client):
    answer = client.options(UPLOADS)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    extensions = answer.headers["tus-extension"].split(",")
    assert set(extensions) == {"creation", "creation-with-upload", "checksum", "expiration", "termination"}
    assert "sha1" in answer.headers["tus-checksum-algorithm"].split(",")
    assert int(answer.headers["tus-max-size"]) == 20 * 2**30


@pytest.mark.parametrize("checks", [False, True], ids=["plain", "with checksums"])
def test_a_well_known_client_uploads_and_resumes(server, checks):
    data = random.Random(7).randbytes(3 * MIB + 17)
    tus = TusClient(server.url + UPLOADS, headers=AS_ADMIN)
    options = {"file_stream": io.BytesIO(data), "chunk_size": MIB, "upload_checksum": checks}
    first = tus.uploader(metadata={"filename": "faces.tar.gz", "note": "Zoë"}, **options)
    first.upload(stop_at=2 * MIB)
    second = tus.uploader(url=first.url, **options)  # as a program does that was started anew
    assert second.offset == 2 * MIB
    second.upload()
    assert stored(server, first.url) == data


def test_the_client_learns_that_a_file_is_too_large(server):
    tus = TusClient(server.url + UPLOADS, headers=AS_ADMIN)
    uploader = tus.uploader(file_stream=io.BytesIO(b"x"), metadata={"filename": "faces.exe"})
    with pytest.raises(TusCommunicationError) as refused:
        uploader.upload()
    assert refused.value.status_code == 415


def test_pieces_of_any_size_make_the_file(client, server):
    address = begin(client, len(DATA))
    assert offset_of(client, address) == 0
    place = 0
    for size in (1, 65_536, 100_000, 0, len(DATA)):
        answer = send(client, address, place, DATA[place : place + size])
        place = min(len(DATA), place + size)
        assert answer.status_code == 204
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert int(answer.headers["upload-offset"]) == place == offset_of(client, address)
        assert parsedate_to_datetime(answer.headers["upload-expires"]) > datetime.now(UTC) + timedelta(hours=23)
    head = client.head(address, headers=TUS).headers
    assert (head["upload-length"], head["cache-control"]) == (str(len(DATA)), "no-store")
    assert head["upload-metadata"] == metadata("faces.zip")
    assert stored(server, address) == DATA


def test_a_body_of_unknown_length_is_taken(client, server):
    address = begin(client, len(DATA))
    assert send(client, address, 0, iter([DATA[:1000], DATA[1000:]])).status_code == 204
    assert stored(server, address) == DATA


def test_the_first_piece_comes_with_the_creation(client, server):
    headers = {**PIECE, "Upload-Length": str(len(DATA)), "Upload-Metadata": metadata("faces.tar")}
    answer = client.post(UPLOADS, headers=headers, content=DATA[:5000])
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "5000")
    address = answer.headers["location"]
    assert send(client, address, 5000, DATA[5000:]).status_code == 204
    assert stored(server, address) == DATA


def test_an_empty_file_is_whole_at_once(client, server):
    address = begin(client, 0)
    assert offset_of(client, address) == 0
    assert stored(server, address) == b""


def test_a_wrong_offset_changes_nothing(client):
    address = begin(client, len(DATA))
    send(client, address, 0, DATA[:1000])
    for offset in (0, 999, 1001, len(DATA)):
        answer = send(client, address, offset, DATA[:10])
        problem_of(answer, 409, "upload-offset", "Upload-Offset")
        assert answer.headers["upload-offset"] == "1000"
        assert answer.headers["tus-resumable"] == "1.0.0"
    assert offset_of(client, address) == 1000


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_was_announced_is_refused(client, announced):
    address = begin(client, 1000)
    answer = send(client, address, 0, DATA if announced else iter([DATA]))
    problem_of(answer, 413, "upload-too-large")
    assert offset_of(client, address) == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_checksum_is_believed_only_where_it_matches(client, server, algorithm):
    address = begin(client, len(DATA))
    damaged = bytes([DATA[0] ^ 1]) + DATA[1:70_000]
    answer = send(client, address, 0, damaged, **{"Upload-Checksum": checksum(DATA[:70_000], algorithm)})
    assert answer.status_code == 460
    assert answer.json()["type"] == "/problems/checksum-mismatch"
    assert offset_of(client, address) == 0
    for start, end in ((0, 70_000), (70_000, len(DATA))):
        piece = DATA[start:end]
        assert send(client, address, start, piece, **{"Upload-Checksum": checksum(piece, algorithm)}).status_code == 204
    assert stored(server, address) == DATA


def test_a_damaged_piece_larger_than_a_block_leaves_nothing(client, server):
    data = random.Random(1).randbytes(9 * MIB)
    address = begin(client, len(data))
    assert send(client, address, 0, data, **{"Upload-Checksum": checksum(b"other")}).status_code == 460
    assert offset_of(client, address) == 0
    assert send(client, address, 0, data[:10]).status_code == 204
    assert send(client, address, 10, data[10:]).status_code == 204
    assert stored(server, address) == data


def test_what_arrived_of_a_broken_piece_is_kept(client, server):
    address = begin(client, len(DATA))
    with unfinished_piece(server, address, 0, DATA[:200_000], len(DATA)):
        pass
    block_until(lambda: offset_of(client, address) == 200_000)
    block_until(lambda: send(client, address, 200_000, DATA[200_000:]).status_code == 204)
    assert stored(server, address) == DATA


def test_of_two_pieces_at_one_offset_one_wins(client, server):
    address = begin(client, len(DATA))
    with unfinished_piece(server, address, 0, DATA[:100], len(DATA)) as winner:
        problem_of(send(client, address, 0, b"z" * 1000), 423, "upload-locked")
        winner.sendall(DATA[100:])
        assert winner.recv(12) == b"HTTP/1.1 204"
    assert stored(server, address) == DATA


def test_bytes_that_the_store_has_lost_are_asked_for_again(client, server):
    address = begin(client, len(DATA))
    send(client, address, 0, DATA[:1000])
    (server.folder / "store" / ".growing" / address.rsplit("/", 1)[-1]).unlink()
    answer = send(client, address, 1000, DATA[1000:])
    problem_of(answer, 409, "upload-offset")
    assert answer.headers["upload-offset"] == "0"
    assert send(client, address, 0, DATA).status_code == 204
    assert stored(server, address) == DATA


@pytest.fixture(scope="module")
def mortal(tmp_path_factory, tiny_models):
    """A server that is killed, stopped and starved."""
    server = Server(
        tmp_path_factory.mktemp("mortal"), tiny_models, VISIONLAB_UI_FOLDER="none", VISIONLAB_GRACEFUL_STOP_SECONDS="1"
    ).start()
    yield server
    server.close()


def test_killed_in_the_middle_of_a_piece(mortal):
    data, server = random.Random(3).randbytes(20 * MIB), mortal
    address = begin(server.admin, len(data))
    with unfinished_piece(server, address, 0, data[: 17 * MIB], len(data)):
        block_until(lambda: offset_of(server.admin, address) >= 16 * MIB)
        server.kill()
    server.start()
    offset = offset_of(server.admin, address)
    assert 16 * MIB <= offset <= 17 * MIB
    # The dead process still holds the upload, for some seconds: a client library waits and asks again.
    uploader = TusClient(server.url + UPLOADS, headers=AS_ADMIN).uploader(
        url=server.url + address, file_stream=io.BytesIO(data), chunk_size=2 * MIB, retries=20, retry_delay=1
    )
    uploader.upload()
    assert hashlib.sha256(stored(server, address)).digest() == hashlib.sha256(data).digest()


def test_a_stop_keeps_what_arrived(mortal):
    server = mortal
    address = begin(server.admin, len(DATA))
    with unfinished_piece(server, address, 0, DATA[:100_000], len(DATA)):
        assert server.stop() == 0
    server.start()
    assert offset_of(server.admin, address) == 100_000
    assert send(server.admin, address, 100_000, DATA[100_000:]).status_code == 204
    assert stored(server, address) == DATA


def test_a_full_disk_is_said_and_harms_nothing(mortal):
    server = mortal
    data = random.Random(4).randbytes(10 * MIB)
    address = begin(server.admin, len(data))
    assert send(server.admin, address, 0, data[:MIB]).status_code == 204
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (5 * MIB, resource.RLIM_INFINITY))
    problem_of(send(server.admin, address, MIB, data[MIB:]), 507, "store-full")
    assert offset_of(server.admin, address) == MIB
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
    assert send(server.admin, address, MIB, data[MIB:]).status_code == 204
    assert stored(server, address) == data


def test_memory_stays_constant(client, server):
    def pieces():
        for _ in range(96):
            watched.append(memory(server))
            yield bytes(MIB)

    watched: list[int] = []
    address = begin(client, 96 * MIB)
    before = memory(server)
    assert send(client, address, 0, pieces()).status_code == 204
    assert max(watched) - before < 48 * MIB
    client.delete(address, headers=TUS)


def memory(server) -> int:
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())[1]) * 1024


def test_an_upload_can_be_given_up(client, server):
    unfinished, done = begin(client, len(DATA)), begin(client, len(DATA))
    send(client, unfinished, 0, DATA[:10])
    send(client, done, 0, DATA)
    for address in (unfinished, done):
        assert client.delete(address, headers=TUS).status_code == 204
        assert client.head(address, headers=TUS).status_code == 404
        problem_of(send(client, address, 0, b""), 404, "not-found")
        problem_of(client.delete(address, headers=TUS), 404, "not-found")
        uuid = address.rsplit("/", 1)[-1]
        assert not list((server.folder / "store").rglob(f"*{uuid}*"))


def test_methods_can_be_overridden(client, server):
    address = begin(client, 10)
    override = {**PIECE, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.post(address, headers=override, content=b"0123456789").status_code == 204
    assert stored(server, address) == b"0123456789"
    assert client.post(address, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    problem_of(client.post(address, headers=TUS), 405, "method-not-allowed")


def test_another_version_is_refused(client):
    address = begin(client, 10)
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        for method, url in (("POST", UPLOADS), ("PATCH", address), ("DELETE", address)):
            answer = client.request(method, url, headers=headers)
            problem_of(answer, 412, "tus-version", "Tus-Resumable")
            assert answer.headers["tus-version"] == "1.0.0"
    assert offset_of(client, address) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Upload-Length": None}, "Upload-Length"),
        ({"Upload-Length": "-1"}, "Upload-Length"),
        ({"Upload-Length": "ten"}, "Upload-Length"),
        ({"Upload-Length": "9" * 30}, "Upload-Length"),
        ({"Upload-Metadata": None}, "Upload-Metadata"),
        ({"Upload-Metadata": "filetype YQ=="}, "Upload-Metadata"),
        ({"Upload-Metadata": "filename not/base64!"}, "Upload-Metadata"),
        ({"Upload-Metadata": "filename YQ==,filename YQ=="}, "Upload-Metadata"),
        ({"Upload-Metadata": "filename Li4v"}, "Upload-Metadata"),
        ({"Upload-Metadata": "filename " + "YWFh" * 2000}, "Upload-Metadata"),
        ({"Upload-Checksum": "crc32 AAAA"}, "Upload-Checksum"),
        ({"Upload-Checksum": "sha1 AAAA"}, "Upload-Checksum"),
    ],
)
def test_creation_that_makes_no_sense_is_refused(client, change, field):
    headers = {**TUS, "Upload-Length": "10", "Upload-Metadata": metadata("a.zip")} | change
    answer = client.post(UPLOADS, headers={name: value for name, value in headers.items() if value is not None})
    problem_of(answer, 422, "invalid-request", field)


def test_pieces_that_make_no_sense_are_refused(client):
    address = begin(client, 10)
    problem_of(client.patch(address, headers=PIECE, content=b"x"), 422, "invalid-request", "Upload-Offset")
    problem_of(send(client, address, 0, b"x", **{"Content-Type": "application/json"}), 415, "unsupported-media-type")
    for unknown in (str(uuid4()), "x", "%00"):
        problem_of(send(client, f"{UPLOADS}/{unknown}", 0, b"x"), 404, "not-found")
    assert offset_of(client, address) == 0


@pytest.fixture(scope="module")
def strict(tmp_path_factory, tiny_models):
    """A server whose uploads are few, small and soon forgotten."""
    server = Server(
        tmp_path_factory.mktemp("strict"),
        tiny_models,
        VISIONLAB_UI_FOLDER="none",
        VISIONLAB_MAX_UPLOAD_BYTES="5000",
        VISIONLAB_UPLOAD_QUOTA_BYTES="9000",
        VISIONLAB_UPLOAD_EXPIRY_SECONDS="1.5",
        VISIONLAB_UPLOAD_TYPES=".zip, .PNG",
    ).start()
    yield server
    server.close()


def create(client: httpx.Client, length: int, filename: str = "a.zip") -> httpx.Response:
    return client.post(UPLOADS, headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(filename)})


def test_size_and_types_are_the_operators(strict):
    assert strict.admin.options(UPLOADS).headers["tus-max-size"] == "5000"
    problem_of(create(strict.admin, 5001), 413, "upload-too-large", "Upload-Length")
    problem_of(create(strict.admin, 10, "a.tar"), 415, "upload-type", "Upload-Metadata")
    assert create(strict.admin, 10, "a.png").status_code == 201


def test_the_quota_holds_and_what_is_forgotten_gives_room(strict):
    store = strict.folder / "store"
    addresses = []
    while (answer := create(strict.admin, 4000)).status_code == 201:
        addresses.append(answer.headers["location"])
        send(strict.admin, addresses[-1], 0, b"x")
    assert len(addresses) >= 2
    problem_of(answer, 507, "upload-quota")
    block_until(lambda: create(strict.admin, 5000).status_code == 201)
    block_until(lambda: not list((store / ".growing").iterdir()))


def test_an_expired_upload_is_gone(strict):
    while (answer := create(strict.admin, 100)).status_code == 507:  # what the tests before left has to expire first
        pass
    address = answer.headers["location"]
    send(strict.admin, address, 0, bytes(50))
    block_until(lambda: strict.admin.head(address, headers=TUS).status_code in (404, 410))
    assert send(strict.admin, address, 50, bytes(50)).status_code in (404, 410)
    block_until(lambda: strict.admin.head(address, headers=TUS).status_code == 404)


def test_bytes_without_an_upload_are_swept(strict):
    for path in (f"uploads/{uuid4()}", f".growing/{uuid4()}"):
        left = strict.folder / "store" / path
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"left by a crash")
        block_until(lambda left=left: not left.exists())
