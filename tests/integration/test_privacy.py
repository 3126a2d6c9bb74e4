"""Uploaded photos are their uploader's: who sees them, what they tell, and how they go."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select
from support.image_files import encoded, jpeg, picture, png
from support.problem_details import problem_of
from support.waiting import block_until

from visionlab_api.database.tables import ImageRow

NOBODY = str(uuid4())


@pytest.fixture
def stranger(server):
    with httpx.Client(base_url=server.url, timeout=60) as stranger:
        stranger.post("/backend/image", files={"file": ("own.png", png())})
        yield stranger


@pytest.fixture
def key(server, admin):
    """Makes clients of programs, each with a key of its own."""
    opened = []

    def make(*scopes: str) -> httpx.Client:
        secret = admin.post("/backend/key", json={"name": "program", "scopes": list(scopes)}).json()["key"]
        opened.append(httpx.Client(base_url=server.url, timeout=60, headers={"Authorization": f"Bearer {secret}"}))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def sees(client: httpx.Client, image: dict) -> bool:
    """Whether an upload is there for somebody; every way to ask has to say the same."""
    uuid = image["uuid"]
    found = {
        client.get(image["url"]).status_code == 200,
        client.get(image["url"], params={"width": 64}).status_code == 200,
        client.head(image["url"]).status_code == 200,
        client.post("/backend/image/classify", json={"images": [uuid]}).status_code == 200,
        client.post("/backend/image/stats", json={"images": [uuid], "action": "like"}).status_code == 200,
        client.post("/backend/image/archive", json={"images": [uuid]}).status_code == 200,
        uuid in listed(client, type="uploaded"),
        uuid in listed(client),
    }
    assert len(found) == 1, found
    return found.pop()


def listed(client: httpx.Client, **filters: str) -> list[str]:
    images = client.get("/backend/image", params={"limit": 200, **filters}).json()["images"]
    return [image["uuid"] for image in images]


def stored(server, image: dict) -> bool:
    return any(server.folder.glob(f"store/**/*{image['uuid']}*"))


def rows(server, uuid: str) -> int:
    with server.database() as database:
        return database.scalar(select(func.count()).where(ImageRow.uuid == UUID(uuid)))


def test_an_upload_is_there_for_its_uploader_alone(client, stranger, admin, upload):
    image = upload()
    assert image["shared"] is False
    assert sees(client, image)
    assert not sees(stranger, image)
    assert not sees(admin, image)
    problem_of(stranger.post("/backend/image/label", json={"image": image["uuid"], "label": "human"}), 404, "not-found")
    assert client.get(image["url"]).headers["cache-control"] == "private, no-cache"


def test_what_is_shared_for_training_is_there_for_those_who_train(client, stranger, admin, key):
    form = {"files": {"file": ("a.png", png())}, "data": {"share": "true"}}
    image = client.post("/backend/image", **form).json()
    assert image["shared"] is True
    assert sees(client, image)
    assert sees(admin, image)
    assert sees(key("datasets"), image)
    assert not sees(key("models"), image)
    assert not sees(stranger, image)
    mine = {"type": "uploaded", "mine": "true"}
    assert image["uuid"] in [each["uuid"] for each in client.get("/backend/image", params=mine).json()["images"]]
    assert image["uuid"] not in [each["uuid"] for each in admin.get("/backend/image", params=mine).json()["images"]]


def test_agreement_may_come_with_the_label_and_be_withdrawn(client, admin, upload):
    image = upload()
    label = {"image": image["uuid"], "label": "human"}
    for share, seen in ((None, False), (True, True), (None, True), (False, False)):
        assert client.post("/backend/image/label", json=label | {"share": share}).status_code == 201
        assert sees(admin, image) is seen


def test_nobody_agrees_for_others(client, admin):
    form = {"files": {"file": ("a.png", png())}, "data": {"share": "true"}}
    image = client.post("/backend/image", **form).json()
    label = {"image": image["uuid"], "label": "human", "share": False}
    problem_of(admin.post("/backend/image/label", json=label), 403, "not-yours", "image")
    assert admin.post("/backend/image/label", json=label | {"share": None}).status_code == 201


@pytest.mark.parametrize("share", ["true", "false"])
def test_images_kept_with_an_answer_are_private_too(client, stranger, admin, share):
    query = f"?store=true&share={share}"
    asked = client.post(f"/backend/image/classify{query}", content=jpeg(), headers={"Content-Type": "image/jpeg"})
    form = {"store": "true", "share": share}
    several = client.post("/backend/image/classify", files=[("images", ("a.jpg", jpeg()))], data=form)
    lines = client.post(
        f"/backend/image/classify{query}", files=[("images", ("a.jpg", jpeg()))], headers={"Accept": "application/x-ndjson"}
    )
    for uuid in (asked.json()["results"][0]["image"], several.json()["results"][0]["image"], lines.json()["image"]):
        image = {"uuid": uuid, "url": f"/backend/image/{uuid}.jpg"}
        assert sees(client, image)
        assert not sees(stranger, image)
        assert sees(admin, image) is (share == "true")


def test_programs_have_uploads_of_their_own(key):
    mine, other = key("inference"), key("inference")
    image = mine.post("/backend/image", files={"file": ("a.png", png())}).json()
    mine.cookies.clear()
    assert sees(mine, image)
    assert not sees(other, image)


def test_generated_images_are_everyones(client, stranger, admin, faces):
    [face] = faces()
    for each in (client, stranger, admin):
        assert each.get(face["url"]).headers["cache-control"].startswith("public")
        assert face["uuid"] in listed(each, type="generated")


def test_where_a_photo_was_taken_is_not_kept(client, server, upload):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "Baker Street 221b"
    exif.get_ifd(0x8825)[2] = (51.0, 31.0, 26.0)
    for kind in ("JPEG", "PNG"):
        image = upload(encoded(Image.fromarray(picture(120, 80)), kind, exif=exif))
        assert (image["width"], image["height"]) == (80, 120)
        served = client.get(image["url"])
        assert b"Baker" not in served.content
        assert int(served.headers["content-length"]) == len(served.content)
        [file] = server.folder.glob(f"store/**/*{image['uuid']}*")
        assert file.is_dir() or b"Baker" not in file.read_bytes()


def test_my_images_are_deleted_for_good(client, server, stranger, upload):
    mine = [upload() for _ in range(3)]
    client.post("/backend/image/label", json={"image": mine[0]["uuid"], "label": "human", "share": True})
    theirs = listed(stranger, type="uploaded")
    assert client.delete("/backend/image", params={"mine": "true"}).json() == {"deleted": 3}
    assert not any(sees(client, image) for image in mine)
    assert not any(stored(server, image) or rows(server, image["uuid"]) for image in mine)
    assert listed(stranger, type="uploaded") == theirs
    assert client.delete("/backend/image", params={"mine": "true"}).json() == {"deleted": 0}


@pytest.mark.parametrize("query", ["", "?mine=false", "?mine="])
def test_all_images_are_never_deleted_by_mistake(client, upload, query):
    image = upload()
    problem_of(client.delete(f"/backend/image{query}"), 422, "invalid-request", "mine")
    assert sees(client, image)


def test_visitors_without_a_cookie_delete_nothing(server, upload):
    upload()
    assert httpx.delete(f"{server.url}/backend/image?mine=true").json() == {"deleted": 0}


def test_one_image_is_deleted_by_its_uploader(client, server, stranger, upload):
    image, other = upload(), upload()
    problem_of(stranger.delete(f"/backend/image/{image['uuid']}"), 404, "not-found", "uuid")
    assert client.delete(f"/backend/image/{image['uuid']}").status_code == 204
    assert not stored(server, image)
    assert not sees(client, image)
    assert sees(client, other)
    problem_of(client.delete(f"/backend/image/{image['uuid']}"), 404, "not-found", "uuid")


def test_admins_delete_what_they_see(client, admin, upload, faces):
    [face] = faces()
    problem_of(client.delete(f"/backend/image/{face['uuid']}"), 403, "not-yours", "uuid")
    assert admin.delete(f"/backend/image/{face['uuid']}").status_code == 204
    assert client.get(face["url"]).status_code == 404
    problem_of(admin.delete(f"/backend/image/{upload()['uuid']}"), 404, "not-found", "uuid")


def test_uploads_go_after_their_time_unless_they_are_shared(start_server, tiny_models):
    server = start_server(tiny_models)
    form = {"files": {"file": ("a.png", png())}}
    private = server.client.post("/backend/image", **form).json()
    shared = server.client.post("/backend/image", **form, data={"share": "true"}).json()
    server.client.post("/backend/image/label", json={"image": private["uuid"], "label": "human"})
    visitor = dict(server.client.cookies)
    assert server.stop() == 0
    server._environment["VISIONLAB_UPLOAD_DAYS"] = "0.000001"
    server.start()
    server.client.cookies.update(visitor)
    block_until(lambda: server.client.get(private["url"]).status_code == 404)
    block_until(lambda: not stored(server, private))
    assert server.client.get(shared["url"]).status_code == 200
