"""POST /backend/image/archive."""

from __future__ import annotations

import io
import zipfile
from uuid import uuid4

import pytest
from support.image_files import jpeg
from support.problem_details import problem_of

URL = "/backend/image/archive"


def test_archive_holds_each_image_once_and_whole(client, upload, faces):
    images = [*faces(3), upload(jpeg()), upload()]
    uuids = [image["uuid"] for image in images]
    answer = client.post(URL, json={"images": uuids + uuids[:2]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="visionlab-faces.zip"'
    assert answer.headers["content-length"] == str(len(answer.content))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names)) == 5
        for image, name in zip(images, names, strict=True):
            assert archive.read(name) == client.get(image["url"]).content
            assert name.endswith(image["url"].rsplit(".")[-1])
        assert names[0].startswith(f"tiny-generator-v1-seed{images[0]['how_made']['seed']}")


def test_same_seed_twice_makes_two_entries(client, faces):
    uuids = [faces(seed=3)[0]["uuid"] for _ in range(2)]
    with zipfile.ZipFile(io.BytesIO(client.post(URL, json={"images": uuids}).content)) as archive:
        assert len(set(archive.namelist())) == 2


def test_archive_counts_as_a_download_of_each_image(client, faces):
    uuids = [face["uuid"] for face in faces(2)]
    client.post(URL, json={"images": uuids + uuids})
    counts = client.post("/backend/image/stats", json={"images": uuids, "action": "like"}).json()
    assert [each["downloads"] for each in counts] == [1, 1]


def test_unknown_image_is_a_problem_and_counts_nothing(client, faces):
    [face] = (face["uuid"] for face in faces())
    problem_of(client.post(URL, json={"images": [face, str(uuid4())]}), 404, "not-found", "images")
    assert client.post("/backend/image/stats", json={"images": [face], "action": "like"}).json()[0]["downloads"] == 0


@pytest.mark.parametrize("images", [[], ["../x"], ["0192f3a4-5b6c-7d8e-9f00-112233445566"] * 1001, None])
def test_selection_out_of_range_is_refused(client, images):
    problem_of(client.post(URL, json={"images": images}), 422, "invalid-request")
