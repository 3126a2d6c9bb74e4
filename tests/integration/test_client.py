"""The Python client against the real server: every call, synchronous and asynchronous, and what is not VisionLab."""

from __future__ import annotations

import asyncio
import inspect
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from support.image_files import jpeg, png
from support.other_server import Answer, other_server
from support.server import ADMIN_TOKEN
from support.tiny_models import DETECTOR, GENERATOR, SECOND_DETECTOR

from visionlab_client import (
    AsyncVisionLab,
    Conflict,
    FaceClass,
    InvalidRequest,
    NotAllowed,
    NotFound,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
    UnreadableImage,
    UnusableImage,
    VisionLab,
    VisionLabError,
)

JSON = {"Content-Type": "application/json"}


class Awaited:
    """An `AsyncVisionLab` whose calls are waited for, so that one test says what must hold for both clients."""

    def __init__(self, url: str, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.lab = AsyncVisionLab(url, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.lab, name)

        def call(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            if inspect.isasyncgen(result):
                return self._each(result)
            return self.loop.run_until_complete(result)

        return call

    def _each(self, stream: Any) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(stream, None)

        while (item := self.loop.run_until_complete(following())) is not None:
            yield item

    def close(self) -> None:
        self.loop.run_until_complete(self.lab.aclose())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@pytest.fixture(params=[VisionLab, Awaited], ids=["sync", "async"])
def connect(request) -> Iterator[Callable[..., Any]]:
    opened = []

    def open_client(url: str, **options: Any) -> Any:
        opened.append(request.param(url, **options))
        return opened[-1]

    yield open_client
    for lab in opened:
        lab.close()


@pytest.fixture
def lab(connect, server) -> Any:
    return connect(server.url)


def test_both_clients_have_the_same_methods():
    def methods(kind: type) -> dict[str, list[str]]:
        named = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(method).parameters) for name, method in named if not name.startswith("_")}

    synchronous, asynchronous = methods(VisionLab), methods(AsyncVisionLab)
    assert asynchronous.pop("do")
    assert asynchronous.pop("aclose") == synchronous.pop("close")
    assert synchronous == asynchronous


def test_status_and_models(lab):
    status = lab.status()
    assert status.ready
    assert {DETECTOR, SECOND_DETECTOR, GENERATOR} <= {model.uuid for model in status.models}
    assert {model.uuid for model in lab.models("detector")} == {DETECTOR, SECOND_DETECTOR}
    [generator] = lab.models("generator", status="enabled")
    assert (generator.uuid, generator.face_class, generator.state) == (GENERATOR, FaceClass.human_gen, "ready")
    assert lab.models("generator", status="disabled") == []


def test_key_comes_from_the_environment_or_the_caller(connect, server, monkeypatch):
    monkeypatch.setenv("VISIONLAB_API_KEY", "vl_nobody-has-this-one")
    with pytest.raises(NotAllowed, match="unknown, expired or revoked"):
        connect(server.url).settings()
    assert connect(server.url, key=ADMIN_TOKEN).settings()
    assert connect(server.url, key="").settings()
    with pytest.raises(ValueError, match="no API key has"):
        connect(server.url, key="vl_ab\nX-Header: 1")


def test_settings(connect, start_server, tiny_models):
    url = start_server(tiny_models).url
    with pytest.raises(NotAllowed, match="API key"):
        connect(url).change_settings(images_per_batch=7)
    lab = connect(url, key=ADMIN_TOKEN)
    assert lab.change_settings(images_per_batch=7).images_per_batch == 7
    assert lab.change_settings().images_per_batch == 7
    assert lab.settings().images_per_batch == 7
    with pytest.raises(InvalidRequest) as error:
        lab.change_settings(images_per_batch=21)
    assert error.value.field == "images_per_batch"


def test_images_kept_by_one_client_are_its_own(lab, connect, server):
    outcomes = list(lab.classify_many([png(seed=seed) for seed in range(6)], store=True))
    kept = {outcome.answer.image for outcome in outcomes}
    assert kept <= {image.uuid for image in lab.images(type="uploaded")}
    for uuid in kept:
        assert lab.label(uuid, FaceClass.human).image == uuid
    other = connect(server.url)
    assert kept.isdisjoint(image.uuid for image in other.images(type="uploaded"))
    with pytest.raises(NotFound):
        other.download(kept.pop())


def test_generate_like_and_download(lab, tmp_path):
    made = lab.generate([GENERATOR], 3, seed=5, truncation=0.5)
    assert [image.how_made.seed for image in made] == [5, 6, 7]
    again = lab.generate(GENERATOR, 1, seed=5, truncation=0.5)
    assert lab.download(again[0]) == lab.download(made[0].uuid)
    assert lab.download(str(made[1].uuid), width=64)[8:12] == b"WEBP"
    near = lab.neighbours(made[0], 2, distance=0.2, seed=9)
    assert [image.how_made.steps[0].seed for image in near] == [9, 10]
    with pytest.raises(InvalidRequest, match="cannot mix styles"):
        lab.mix(made[0], made[1].uuid, crossover=0.3)

    assert [counts.likes for counts in lab.like(made)] == [1, 1, 1]
    assert lab.unlike(made[0])[0].likes == 0
    assert lab.count_download([made[0]])[0].downloads == 1
    stats = next(each for each in lab.stats() if each.model_uuid == GENERATOR)
    assert stats.likes >= 2

    path = lab.download_archive(made, tmp_path / "faces.zip")
    with zipfile.ZipFile(path) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [lab.download(image) for image in made]
    assert [file.name for file in tmp_path.iterdir()] == ["faces.zip"]
    with pytest.raises(NotFound):
        lab.download_archive([uuid4()], tmp_path / "none.zip")
    assert not (tmp_path / "none.zip").exists()


def test_list_of_images_goes_over_its_pages(lab):
    made = lab.generate([GENERATOR], 5)
    listed = [image.uuid for image in lab.images(type="generated", model=GENERATOR, page_size=2)]
    assert len(listed) == len(set(listed))
    assert {image.uuid for image in made} <= set(listed)
    assert list(lab.images(model=uuid4())) == []


def test_upload_and_label(lab, tmp_path):
    path = tmp_path / "ich und du.png"
    path.write_bytes(png(40, 30))
    image = lab.upload(path)
    assert (image.filename, image.width, image.height, image.image_type) == ("ich und du.png", 40, 30, "uploaded")
    assert lab.download(image) == path.read_bytes()
    label = lab.label(image, FaceClass.anime, predicted="human")
    assert (label.image, label.label, label.agreed) == (image.uuid, FaceClass.anime, False)
    with pytest.raises(InvalidRequest):
        lab.label(image, "dog")
    [generated] = lab.generate([GENERATOR], 1)
    with pytest.raises(Conflict) as error:
        lab.label(generated, "human")
    assert error.value.kind == "not-uploaded"


def test_classify(lab, server, tmp_path):
    data = jpeg()
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    right = server.client.post("/backend/image/classify", files={"images": ("a.jpg", data)}).json()["results"][0]
    for source in (path, str(path), data, io.BytesIO(data)):
        answer = lab.classify(source)
        assert answer.verdict.model_dump(mode="json")["probabilities"] == pytest.approx(
            right["verdict"]["probabilities"], abs=1e-5
        )
        assert [model.model_uuid for model in answer.models] == [UUID(model["model_uuid"]) for model in right["models"]]
        assert answer.image is None
    one = lab.classify(path, models=[SECOND_DETECTOR], explain=True, store=True)
    assert [model.model_uuid for model in one.models] == [SECOND_DETECTOR]
    assert len(one.models[0].activation_map.values) == 7
    assert lab.download(one.image) == data
    [stored] = lab.classify_stored([one.image], models=SECOND_DETECTOR)
    assert stored.verdict.probabilities == pytest.approx(one.verdict.probabilities, abs=1e-5)


def test_images_that_cannot_be_used(lab, tmp_path):
    (tmp_path / "empty.jpg").touch()
    for source, kind in (
        (b"not an image", "not-an-image"),
        (tmp_path / "empty.jpg", "not-an-image"),
        (png()[:-30], "unusable-image"),
    ):
        with pytest.raises(UnusableImage) as error:
            lab.classify(source)
        assert error.value.kind == kind
        assert error.value.request_id
    with pytest.raises(UnreadableImage):
        lab.classify(tmp_path)
    with pytest.raises(NotFound) as error:
        lab.classify(png(), models=[uuid4()])
    assert error.value.field == "models"
    with pytest.raises(ValueError, match="not the id of an image"):
        lab.like("../settings")
    with pytest.raises(ValueError, match="at least one"):
        lab.classify(png(), models=[])


def test_nobody_is_there(connect, free_port):
    lab = connect(f"http://127.0.0.1:{free_port()}", patience=0)
    with pytest.raises(Unreachable, match="make up"):
        lab.status()


def test_name_that_does_not_exist(connect):
    with pytest.raises(Unreachable, match="host and port"):
        connect("http://nowhere.invalid", patience=0).status()


def test_page_of_a_proxy(connect, tmp_path):
    with other_server(Answer(200, b"<html>Welcome</html>", {"Content-Type": "text/html"})) as other:
        lab = connect(other.url, patience=0)
        with pytest.raises(UnexpectedAnswer, match="text/html"):
            lab.status()
        with pytest.raises(UnexpectedAnswer, match="text/html"):
            lab.download(uuid4())
        with pytest.raises(UnexpectedAnswer, match="text/html"):
            lab.download_archive([uuid4()], tmp_path / "a.zip")
        assert list(tmp_path.iterdir()) == []


def test_other_answers_in_json(connect):
    with other_server(Answer(200, b'{"ok": true}', JSON), Answer(200, b"{", JSON), Answer(500, b"null", JSON)) as other:
        lab = connect(other.url, patience=0)
        for _ in range(3):
            with pytest.raises(UnexpectedAnswer, match="not VisionLab's answer"):
                lab.status()


def test_redirect_is_not_followed_and_says_where_it_leads(connect):
    with other_server(Answer(308, b"", {"Location": "https://visionlab.example.org/backend/status"})) as other:
        with pytest.raises(UnexpectedAnswer, match=r"https://visionlab\.example\.org"):
            connect(other.url).status()
        assert len(other.asked) == 1


def test_proxy_recovers(connect, server):
    good = Answer(200, server.client.get("/backend/settings").content, JSON)
    page = {"Content-Type": "text/html"}
    with other_server(
        Answer(503, b"", {**page, "Retry-After": "0"}), Answer(502, b"<html>", page), Answer(cut=True), good
    ) as other:
        assert connect(other.url).settings().images_per_batch >= 0
        assert len(other.asked) == 4


def test_change_whose_answer_was_lost_is_made_once(connect):
    with other_server(Answer(cut=True)) as other:
        with pytest.raises(Unreachable, match="cut the connection"):
            connect(other.url).like(uuid4())
        assert len(other.asked) == 1


def test_silent_server(connect, silent_port):
    lab = connect(f"http://127.0.0.1:{silent_port}", timeout=0.2, patience=0)
    with pytest.raises(TimedOut, match="longer timeout"):
        lab.status()


def test_all_errors_are_of_one_family(connect, free_port):
    lab = connect(f"http://127.0.0.1:{free_port()}", patience=0)
    with pytest.raises(VisionLabError):
        lab.models("detector")
