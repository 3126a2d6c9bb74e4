"""Data sets over HTTP: from an archive in pieces to a gallery, through kills."""

from __future__ import annotations

import base64
import io
import json
import random
import threading
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image
from support.archives import face, tar_of, zip_of
from support.problem_details import problem_of
from support.tus import TUS, UPLOADS, begin, upload_file
from support.waiting import block_until

URL = "/backend/dataset"


@pytest.fixture
def client(admin: httpx.Client) -> httpx.Client:
    """Data sets and large files are an admin's business."""
    return admin


def cursor(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def make(client, *files: tuple[str, bytes], name: str | None = None, **options) -> dict:
    """Make a data set of files; gives it as it is first."""
    uploads = [upload_file(client, *file) for file in files]
    body = {"name": name or f"set-{uuid4()}", "type": "detector", "face_class": "human", "uploads": uploads, **options}
    answer = client.post(URL, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def report(client, dataset: dict) -> dict:
    answer = client.get(f"{URL}/{dataset['uuid']}/report")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(client, dataset: dict) -> dict:
    with client.stream("GET", f"{URL}/{dataset['uuid']}/events") as answer:
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: ")]
    assert events[-1]["state"] in ("ready", "failed")
    return events[-1]


@pytest.fixture(scope="module")
def mixed(server) -> dict:
    """A data set of which some files were kept and some were not."""
    files = {f"{seed}.jpg": face(seed, 96) for seed in range(5)} | {
        "again.jpg": face(0, 96),
        "notes.txt": b"x",
        "cut.jpg": face(9)[:500],
    }
    return ended(server.admin, make(server.admin, ("faces.zip", zip_of(files)), label="Mixed faces"))


def test_a_dataset_begins_pending_and_ends_ready(client):
    began = make(client, ("faces.tar.gz", tar_of({f"{seed}.jpg": face(seed) for seed in range(3)}, "w:gz")), label="My faces")
    assert (began["state"], began["status"], began["images"], began["digest"]) == ("pending", "enabled", 0, None)
    dataset = ended(client, began)
    assert (dataset["state"], dataset["progress"], dataset["files"], dataset["images"]) == ("ready", 1.0, 3, 3)
    assert (dataset["label"], dataset["face_class"], dataset["origin"]) == ("My faces", "human", "uploaded")
    assert dataset["classes"] == {"human": 3, "human_gen": 0, "anime": 0, "anime_gen": 0}
    assert dataset["sizes"] == [{"least_side": 64, "images": 3}]
    assert dataset["fates"] == {"kept": 3}
    assert len(dataset["digest"]) == 64
    assert dataset["ended_at"] > dataset["created_at"]


def test_uploads_are_gone_once_they_were_made_use_of(client, server):
    upload = upload_file(client, "faces.zip", zip_of({"1.jpg": face(1)}))
    body = {"name": f"set-{uuid4()}", "type": "generator", "face_class": "anime", "uploads": [upload]}
    dataset = client.post(URL, json=body).json()
    ended(client, dataset)
    assert client.head(f"{UPLOADS}/{upload}", headers=TUS).status_code in (404, 410)
    problem_of(client.post(URL, json=body | {"name": "again"}), 404, "not-found", "uploads")


def test_every_refused_file_is_told_with_its_reason(client, mixed):
    assert mixed["fates"] == {"kept": 5, "duplicate": 1, "not_an_image": 1, "broken": 1}
    url = f"{URL}/{mixed['uuid']}/files"
    refused = client.get(url, params={"refused": True}).json()["files"]
    assert [(file["path"], file["fate"]) for file in refused] == [
        ("again.jpg", "duplicate"),
        ("notes.txt", "not_an_image"),
        ("cut.jpg", "broken"),
    ]
    assert "0.jpg" in refused[0]["reason"]
    assert all(file["reason"].endswith(".") and file["url"] is None for file in refused)
    some = client.get(url, params={"fate": ["broken", "duplicate"]}).json()["files"]
    assert [file["fate"] for file in some] == ["duplicate", "broken"]


def test_files_are_read_in_parts(client, mixed):
    found, cursor = [], None
    while True:
        page = client.get(f"{URL}/{mixed['uuid']}/files", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        found += [file["position"] for file in page["files"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == list(range(8))


def test_the_gallery_shows_what_was_kept(client, mixed):
    kept = client.get(f"{URL}/{mixed['uuid']}/files", params={"fate": "kept"}).json()["files"]
    assert len(kept) == 5
    for seed, file in enumerate(kept):
        assert (file["width"], file["height"], file["face_class"]) == (96, 96, "human")
        whole = client.get(file["url"])
        assert (whole.content, whole.headers["content-type"]) == (face(seed, 96), "image/jpeg")
        small = client.get(file["url"], params={"width": 64})
        assert small.headers["content-type"] == "image/webp"
        with Image.open(io.BytesIO(small.content)) as picture:
            assert picture.size == (64, 64)
        assert small.headers["etag"] != whole.headers["etag"]
    for position in (5, 99, -1, 2**40):
        problem_of(client.get(f"{URL}/{mixed['uuid']}/file/{position}"), 404, "not-found")
    problem_of(client.get(f"{URL}/{mixed['uuid']}/file/0", params={"width": 65}), 422, "invalid-request", "width")


def test_progress_is_told_as_it_changes(client):
    archive = tar_of({f"{seed}.jpg": face(seed) for seed in range(300)})
    dataset = make(client, ("faces.tar", archive))
    with client.stream("GET", f"{URL}/{dataset['uuid']}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: ")]
    assert events[-1]["state"] == "ready"
    assert events[-1] == report(client, dataset)
    assert [event["files"] for event in events] == sorted(event["files"] for event in events)
    problem_of(client.get(f"{URL}/{uuid4()}/events"), 404, "not-found")


def test_the_list_is_filtered_sorted_and_read_in_parts(client):
    mark = uuid4().hex[:8]
    archive = ("faces.zip", zip_of({"1.jpg": face(1)}))
    names = [f"{mark}-{letter}" for letter in "bca"]
    made = [make(client, archive, name=name, face_class="anime") for name in names]
    for dataset in made:
        ended(client, dataset)

    def listed(**params) -> list[str]:
        found, cursor = [], None
        while True:
            page = client.get(
                f"{URL}/detector", params={"limit": 2, "name": mark, **params, **({"cursor": cursor} if cursor else {})}
            )
            assert page.status_code == 200, page.text
            found += [dataset["name"] for dataset in page.json()["datasets"]]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                return found

    assert listed() == names[::-1]
    assert listed(sort="oldest") == names
    assert listed(sort="name") == sorted(names)
    assert listed(sort="-name") == sorted(names, reverse=True)
    assert listed(face_class="human") == []
    assert listed(face_class="anime", state="ready", origin="uploaded") == names[::-1]
    client.patch(f"{URL}/{made[0]['uuid']}/status/disabled")
    assert listed(status="disabled") == [names[0]]
    assert client.get(f"{URL}/generator", params={"name": mark}).json() == {"datasets": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", 0),
        ("limit", 201),
        ("sort", "size"),
        ("status", "x"),
        ("face_class", "dog"),
        ("name", "a\0b"),
        ("cursor", "x"),
        ("cursor", "W10="),
        ("cursor", cursor([1, True])),
        ("cursor", cursor(["a", 1])),
        ("cursor", cursor([1, 2**70])),
    ],
)
def test_the_list_refuses_what_it_does_not_know(client, name, value):
    problem_of(client.get(f"{URL}/detector", params={name: value}), 422, "invalid-request", name)
    problem_of(client.get(f"{URL}/other"), 422, "invalid-request", "type")


def test_virtual_datasets_stand_beside_real_ones(client, upload, faces):
    def counts() -> dict[str, dict]:
        datasets = client.get(f"{URL}/detector", params={"limit": 200}).json()["datasets"]
        return {each["origin"]: each for each in datasets if each["origin"] != "uploaded"}

    before = counts()
    image = upload()["uuid"]
    private = upload()["uuid"]
    for each, shared in ((image, True), (private, False)):
        label = {"image": each, "label": "anime", "predicted": "human", "share": shared}
        assert client.post("/backend/image/label", json=label).is_success
    [made] = faces(1)
    after = counts()
    assert after["labelled"]["classes"]["anime"] == before["labelled"]["classes"]["anime"] + 1
    face_class = made["class_label"]
    assert after["generated"]["classes"][face_class] == before["generated"]["classes"][face_class] + 1
    assert after["generated"]["images"] == sum(after["generated"]["classes"].values())
    url = f"{URL}/{after['labelled']['uuid']}"
    problem_of(client.delete(url), 409, "dataset-virtual")
    for status in ("disabled", "enabled"):
        assert client.patch(f"{url}/status/{status}").json()["status"] == status


def test_a_dataset_can_be_removed_and_its_name_is_free(client, server):
    dataset = ended(client, make(client, ("faces.zip", zip_of({"1.jpg": face(1)})), name="to-be-removed"))
    folder = server.folder / "store" / "datasets" / dataset["uuid"]
    assert folder.is_dir()
    assert client.delete(f"{URL}/{dataset['uuid']}").status_code == 204
    for method, path in (("GET", "/report"), ("GET", "/files"), ("GET", "/file/0"), ("PATCH", "/status/enabled"), ("DELETE", "")):
        problem_of(client.request(method, f"{URL}/{dataset['uuid']}{path}"), 404, "not-found")
    again = make(client, ("faces.zip", zip_of({"1.jpg": face(1)})), name="to-be-removed")
    block_until(lambda: not folder.exists())
    client.delete(f"{URL}/{again['uuid']}")


def test_one_that_failed_says_why_and_cannot_be_enabled(client):
    dataset = ended(client, make(client, ("faces.zip", b"PK\x03\x04 this is no archive")))
    assert dataset["state"] == "failed"
    assert "faces.zip is damaged" in dataset["reason"]
    problem = problem_of(client.patch(f"{URL}/{dataset['uuid']}/status/enabled"), 409, "dataset-failed")
    assert "faces.zip is damaged" in problem["detail"]
    assert client.delete(f"{URL}/{dataset['uuid']}").status_code == 204


def test_uploads_are_used_once_and_only_whole(client):
    unfinished = begin(client, 1000).rsplit("/", 1)[-1]
    body = {"name": f"set-{uuid4()}", "type": "detector", "face_class": "human"}
    problem = problem_of(client.post(URL, json=body | {"uploads": [unfinished]}), 409, "upload-not-usable", "uploads")
    assert "0 of 1000 bytes" in problem["detail"]
    problem_of(client.post(URL, json=body | {"uploads": [str(uuid4())]}), 404, "not-found", "uploads")
    whole = upload_file(client, "faces.zip", zip_of({f"{seed}.jpg": face(seed) for seed in range(200)}))
    first = client.post(URL, json=body | {"uploads": [whole, whole]})
    assert first.status_code == 201
    problem_of(client.post(URL, json=body | {"uploads": [whole]}), 409, "name-taken", "name")
    second = client.post(URL, json=body | {"name": "other", "uploads": [whole]})
    assert second.status_code in (404, 409)
    if client.head(f"{UPLOADS}/{whole}", headers=TUS).status_code == 200:
        problem_of(client.delete(f"{UPLOADS}/{whole}", headers=TUS), 409, "upload-in-use")
    assert ended(client, first.json())["images"] == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"label": ""}, "label"),
        ({"label": "a\0b"}, "label"),
        ({"type": "other"}, "type"),
        ({"face_class": "dog"}, "face_class"),
        ({"uploads": []}, "uploads"),
        ({"uploads": ["x"]}, "uploads.0"),
        ({"uploads": None}, "uploads"),
        ({"who": "me"}, "who"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(client, change, field):
    body = {"name": "some", "type": "detector", "face_class": "human", "uploads": [str(uuid4())]} | change
    problem_of(client.post(URL, json=body), 422, "invalid-request", field)


def test_ids_that_are_none_are_refused(client):
    for method, path in (("GET", "x/report"), ("GET", "x/files"), ("DELETE", "x"), ("PATCH", "x/status/enabled")):
        problem_of(client.request(method, f"{URL}/{path}"), 422, "invalid-request", "uuid")
    problem_of(client.patch(f"{URL}/{uuid4()}/status/paused"), 422, "invalid-request", "status")


@pytest.mark.slow
def test_through_kills_to_the_same_dataset(start_server, tiny_models, server):
    chance = random.Random()
    archive = zip_of({f"{seed}.jpg": face(seed) for seed in range(900)} | {"notes.txt": b"x"})
    plain = ended(server.admin, make(server.admin, ("faces.zip", archive)))

    server = start_server(tiny_models)
    dataset = make(server.admin, ("faces.zip", archive))
    for _ in range(2):
        threading.Event().wait(chance.uniform(0, 1.5))  # any moment: before it is read, while, and after
        server.kill()
        server.start()
    found = ended(server.admin, dataset)
    assert {name: found[name] for name in ("state", "digest", "fates", "sizes")} == {
        name: plain[name] for name in ("state", "digest", "fates", "sizes")
    }
    paths = []
    cursor = None
    while True:
        params = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = server.admin.get(f"{URL}/{dataset['uuid']}/files", params=params).json()
        paths += [file["path"] for file in page["files"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(paths) == len(set(paths)) == 901
    stored = list((server.folder / "store" / "datasets" / str(UUID(dataset["uuid"]))).rglob("*.jpg"))
    assert len(stored) == 900
