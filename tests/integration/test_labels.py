"""POST /backend/image/label."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select
from support.image_files import png
from support.problem_details import problem_of

from visionlab_api.database.tables import LabelRow

URL = "/backend/image/label"


def test_label_is_kept_with_who_and_when(client, server, upload):
    image = upload()["uuid"]
    before = datetime.now(UTC)
    answer = client.post(URL, json={"image": image, "label": "anime", "predicted": "human"})
    assert answer.status_code == 201
    label = answer.json()
    assert (label["image"], label["label"], label["predicted"], label["agreed"]) == (image, "anime", "human", False)
    assert before <= datetime.fromisoformat(label["created_at"]) <= datetime.now(UTC)
    assert label["visitor"] == client.cookies["visionlab_visitor"]
    with server.database() as database:
        query = select(LabelRow.label, LabelRow.predicted, LabelRow.visitor).where(LabelRow.uuid == UUID(label["uuid"]))
        rows = database.execute(query).all()
    assert rows == [("anime", "human", UUID(label["visitor"]))]


def test_agreeing_is_told_from_disagreeing(client, upload):
    image = upload()["uuid"]
    for predicted, agreed in (("human", True), ("human_gen", False), (None, None)):
        answer = client.post(URL, json={"image": image, "label": "human", "predicted": predicted})
        assert answer.json()["agreed"] is agreed


def test_latest_label_is_shown_and_earlier_ones_are_kept(client, server, upload):
    image = upload()["uuid"]
    labels = [client.post(URL, json={"image": image, "label": label}).json()["uuid"] for label in ("human", "anime_gen")]
    shown = client.get("/backend/image", params={"type": "uploaded", "limit": 200}).json()["images"]
    assert {each["uuid"]: each["class_label"] for each in shown}[image] == "anime_gen"
    with server.database() as database:
        for uuid in labels:
            assert database.scalar(select(func.count()).where(LabelRow.uuid == UUID(uuid))) == 1


def test_visitors_are_told_apart(client, server, upload):
    image = upload()["uuid"]
    mine = [client.post(URL, json={"image": image, "label": "human"}).json()["visitor"] for _ in range(2)]
    with httpx.Client(base_url=server.url) as other:
        theirs = other.post("/backend/image", files={"file": ("a.png", png())}).json()["uuid"]
        answer = other.post(URL, json={"image": theirs, "label": "human"}).json()
        problem_of(other.post(URL, json={"image": image, "label": "human"}), 404, "not-found", "image")
    assert mine[0] == mine[1] != answer["visitor"]


def test_damaged_cookie_is_replaced(server):
    with httpx.Client(base_url=server.url, cookies={"visionlab_visitor": "' OR 1=1"}) as client:
        answer = client.post("/backend/image", files={"file": ("a.png", png())})
    assert answer.status_code == 201
    assert UUID(answer.cookies["visionlab_visitor"])


def test_generated_image_takes_no_label(client, faces):
    [face] = faces()
    problem_of(client.post(URL, json={"image": face["uuid"], "label": "human"}), 409, "not-uploaded", "image")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"image": str(uuid4())}, 404, "image"),
        ({"image": "x"}, 422, "image"),
        ({"image": None}, 422, "image"),
        ({"label": "dog"}, 422, "label"),
        ({"label": None}, 422, "label"),
        ({"predicted": "dog"}, 422, "predicted"),
        ({"who": "me"}, 422, "who"),
    ],
)
def test_label_that_makes_no_sense_is_refused(client, upload, change, status, field):
    problem_of(client.post(URL, json={"image": upload()["uuid"], "label": "human"} | change), status, field=field)
