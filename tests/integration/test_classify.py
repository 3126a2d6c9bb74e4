"""POST /backend/image/classify."""

from __future__ import annotations

from uuid import uuid4

import pytest
from PIL import Image
from support.image_files import black_png, encoded, jpeg, noise_png, picture, png
from support.problem_details import problem_of
from support.tiny_models import DETECTOR, GENERATOR, SECOND_DETECTOR

URL = "/backend/image/classify"
CLASSES = {"human", "human_gen", "anime", "anime_gen"}


def send(client, *files, **options):
    """`files` are bytes, or pairs of name and bytes."""
    named = [each if isinstance(each, tuple) else (f"{place}.png", each) for place, each in enumerate(files)]
    return client.post(URL, files=[("images", each) for each in named], data=options)


def ask(client, images, **options):
    return client.post(URL, json={"images": images, **options})


def test_stored_image_gets_answers_vote_verdict_and_time(client, upload):
    image = upload(png(seed=20_261_124))  # that nobody else asks about, so no answer is known beforehand
    answer = ask(client, [image["uuid"]])
    assert answer.status_code == 200
    [result] = answer.json()["results"]
    assert result["image"] == image["uuid"]
    assert result["filename"] == "face.png"
    assert result["problem"] is None
    assert {model["model_uuid"] for model in result["models"]} == {str(DETECTOR), str(SECOND_DETECTOR)}
    verdict = result["verdict"]
    for face_class in CLASSES:
        mean = sum(model["probabilities"][face_class] for model in result["models"]) / 2
        assert verdict["probabilities"][face_class] == pytest.approx(mean, abs=1e-5)
    for each in [*result["models"], verdict]:
        assert set(each["probabilities"]) == CLASSES
        assert sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert each["called"] == max(each["probabilities"], key=each["probabilities"].get)
    assert verdict["generated"] == verdict["called"].endswith("_gen")
    assert verdict["sentence"].startswith("This looks like a")
    assert 0 < answer.json()["model_milliseconds"] <= answer.json()["milliseconds"]


def test_image_sent_along_gets_the_answer_of_the_stored_one(client, upload):
    data = jpeg(300, 200)
    stored = ask(client, [upload(data)["uuid"]]).json()["results"][0]
    sent = send(client, ("photo.jpg", data)).json()["results"][0]
    assert sent["image"] is None
    assert sent["filename"] == "photo.jpg"
    assert sent["verdict"] == stored["verdict"]


def test_many_images_are_answered_in_their_order(client):
    files = [png(seed=seed) for seed in range(12)]
    together = send(client, *files).json()["results"]
    assert [result["filename"] for result in together] == [f"{place}.png" for place in range(12)]
    for place in (0, 7, 11):
        alone = send(client, files[place]).json()["results"][0]
        assert together[place]["verdict"]["probabilities"] == pytest.approx(alone["verdict"]["probabilities"], abs=1e-5)


def test_ids_are_answered_in_their_order_repeated_ones_too(client, upload):
    first, second = upload(png(seed=1))["uuid"], upload(png(seed=2))["uuid"]
    results = ask(client, [second, first, second]).json()["results"]
    assert [result["image"] for result in results] == [second, first, second]
    assert results[0]["verdict"] == results[2]["verdict"] != results[1]["verdict"]


def test_image_that_was_asked_about_before_needs_no_run_and_has_the_same_answer(client):
    data = noise_png(90)
    first, again, explained = (send(client, data, **options).json() for options in ({}, {}, {"explain": "true"}))
    assert again["model_milliseconds"] == 0 < first["model_milliseconds"]
    assert again["results"] == first["results"]
    assert explained["results"][0]["models"][0]["activation_map"]
    assert explained["results"][0]["verdict"]["called"] == first["results"][0]["verdict"]["called"]


def test_generated_face_can_be_asked_about(client, faces):
    [face] = faces()
    assert ask(client, [face["uuid"]]).json()["results"][0]["verdict"]


def test_only_chosen_detectors_answer(client):
    for model in (DETECTOR, SECOND_DETECTOR):
        [result] = send(client, png(), models=str(model)).json()["results"]
        assert [each["model_uuid"] for each in result["models"]] == [str(model)]
        assert result["verdict"]["probabilities"] == result["models"][0]["probabilities"]
    [result] = send(client, png(), models=[str(SECOND_DETECTOR), str(DETECTOR), str(DETECTOR)]).json()["results"]
    assert [each["model_uuid"] for each in result["models"]] == [str(SECOND_DETECTOR), str(DETECTOR)]


def test_explanation_covers_the_region_that_was_looked_at(client):
    [result] = send(client, png(400, 300), explain="true").json()["results"]
    for model in result["models"]:
        heat = model["activation_map"]
        assert heat["face_class"] == model["called"]
        assert heat["region"] == {"left": 0.125, "top": 0.0, "width": 0.75, "height": 1.0}
        assert [len(row) for row in heat["values"]] == [7] * 7
        assert all(0 <= value <= 1 for row in heat["values"] for value in row)
    [result] = send(client, png()).json()["results"]
    assert all(model["activation_map"] is None for model in result["models"])


def test_turned_photo_is_answered_as_the_upright_one(client):
    exif = Image.Exif()
    exif[0x0112] = 3
    upright, turned = encoded(picture()), encoded(picture()[::-1, ::-1].copy(), exif=exif)
    assert send(client, upright).json()["results"][0]["verdict"] == send(client, turned).json()["results"][0]["verdict"]


def test_good_and_bad_images_each_get_their_own_answer(client):
    answer = send(client, png(), b"no image", b"", png(1, 1), black_png(30_000, 30_000), noise_png(64)[:5000], jpeg())
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["problem"] and result["problem"]["status"] for result in results] == [None, 415, 415, 422, 413, 422, None]
    for result in results:
        assert (result["verdict"] is None) == (result["problem"] is not None)
        assert (result["models"] == []) == (result["problem"] is not None)


def test_all_bad_images_get_their_problems(client):
    results = send(client, b"no image", b"").json()["results"]
    assert [result["problem"]["status"] for result in results] == [415, 415]


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"", 415, "not-an-image"),
        (b"no image", 415, "not-an-image"),
        (jpeg(300, 200)[:3000], 422, "unusable-image"),
        (png(1, 1), 422, "unusable-image"),
        (black_png(30_000, 30_000), 413, "image-too-large"),
    ],
)
def test_single_bad_image_is_a_problem(client, data, status, kind):
    problem_of(send(client, data), status, kind, "image")


def test_image_file_that_is_too_large_is_refused(client):
    data = noise_png(2700)
    assert len(data) > 20 * 2**20
    problem_of(send(client, data), 413, "image-too-large")
    results = send(client, png(), ("large.png", data)).json()["results"]
    assert results[0]["problem"] is None
    assert "large.png is larger than 20 MiB" in results[1]["problem"]["detail"]


def test_images_sent_along_are_kept_where_asked(client):
    answer = send(client, png(seed=5), b"no image", png(seed=6), store="true")
    first, bad, second = answer.json()["results"]
    assert bad["image"] is None
    assert client.get(f"/backend/image/{first['image']}").content == png(seed=5)
    assert client.get(f"/backend/image/{second['image']}.png").content == png(seed=6)
    again = ask(client, [first["image"]]).json()["results"][0]
    assert again["verdict"]["probabilities"] == pytest.approx(first["verdict"]["probabilities"], abs=1e-5)
    listed = client.get("/backend/image", params={"type": "uploaded", "limit": 200}).json()["images"]
    assert {first["image"], second["image"]} <= {image["uuid"] for image in listed}


def test_images_sent_along_are_not_kept_otherwise(client, upload):
    last = upload()["uuid"]
    send(client, png())
    assert client.get("/backend/image", params={"type": "uploaded", "limit": 1}).json()["images"][0]["uuid"] == last


def test_unknown_image_or_detector_is_a_problem(client, upload):
    image = upload()["uuid"]
    problem_of(ask(client, [image, str(uuid4())]), 404, "not-found", "images")
    problem_of(ask(client, [image], models=[str(uuid4())]), 404, "not-found", "models")
    problem_of(ask(client, [image], models=[str(GENERATOR)]), 404, "not-found", "models")
    problem_of(send(client, png(), models=str(uuid4())), 404, "not-found", "models")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "images"),
        ({"images": []}, "images"),
        ({"images": "x"}, "images"),
        ({"images": ["../../etc/passwd"]}, "images.0"),
        ({"images": [str(uuid4())] * 257}, "images"),
        ({"images": [str(uuid4())], "models": []}, "models"),
        ({"images": [str(uuid4())], "explain": "perhaps"}, "explain"),
        ({"images": [str(uuid4())], "threshold": 0.5}, "threshold"),
        ([], None),
    ],
)
def test_json_out_of_range_is_refused(client, body, field):
    problem = problem_of(client.post(URL, json=body), 422, "invalid-request")
    assert problem["field"] == field


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"explain": "perhaps"}, "explain"),
        ({"models": "x"}, "models.0"),
        ({"models": ""}, "models.0"),
        ({"threshold": "1"}, "threshold"),
    ],
)
def test_form_fields_out_of_range_are_refused(client, options, field):
    problem_of(send(client, png(), **options), 422, "invalid-request", field)


def test_form_without_a_file_is_refused(client):
    problem_of(client.post(URL, files={"photo": ("a.png", png())}), 422, "invalid-request", "photo")
    problem_of(client.post(URL, files={"explain": (None, "true")}), 422, "invalid-request", "images")
    problem_of(client.post(URL, files={"images": (None, "text, no file")}), 422, "invalid-request", "images")


def test_too_many_files_are_refused(client):
    problem_of(send(client, *[b"x"] * 257), 422, "invalid-request", "images")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"x", 422),
        ("multipart/form-data; boundary=abc", b"no part\r\n\r\n", 422),
        ("multipart/form-data; boundary=abc", b"", 422),
        (
            "multipart/form-data; boundary=abc",
            b'--abc\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\ncut',
            422,
        ),
        ("application/json", b"{", 422),
        ("application/json", b"[" * 100_000, 422),
        ("application/json", b"\xff\xfe", 422),
        ("application/json", b"", 422),
        ("image/gif", b"GIF89a", 415),
        ("text/plain", b"hello", 415),
        ("application/x-www-form-urlencoded", b"images=1", 415),
        ("", b"{}", 415),
    ],
)
def test_body_that_is_neither_form_nor_json_is_refused(client, content_type, body, status):
    problem_of(client.post(URL, content=body, headers={"Content-Type": content_type}), status)


def test_image_as_the_body_gets_the_answer_of_a_form(client):
    data = jpeg(300, 200)
    in_form = send(client, data, models=str(DETECTOR)).json()["results"][0]
    plain = client.post(f"{URL}?models={DETECTOR}&explain=true", content=data, headers={"Content-Type": "image/jpeg"})
    assert plain.status_code == 200
    [result] = plain.json()["results"]
    assert result["image"] is None
    assert result["verdict"] == in_form["verdict"]
    assert len(result["models"]) == 1
    assert len(result["models"][0]["activation_map"]["values"]) == 7
    assert "set-cookie" not in plain.headers


def test_image_as_the_body_is_kept_where_asked(client):
    data = png(seed=5)
    answer = client.post(f"{URL}?store=true", content=data, headers={"Content-Type": "image/png"})
    image = answer.json()["results"][0]["image"]
    assert client.get(f"/backend/image/{image}").content == data
    assert "visionlab_visitor" in answer.cookies


@pytest.mark.parametrize(
    ("data", "query", "status", "field"),
    [
        (b"hello", "", 415, "image"),
        (b"", "", 415, "image"),
        (black_png(30_000, 30_000), "", 413, "image"),
        (b"\xff" * (21 * 2**20), "", 413, None),
        (b"x", "models=x", 422, "models.0"),
        (b"x", "explian=true", 422, "explian"),
    ],
)
def test_bad_body_or_query_is_a_problem(client, data, query, status, field):
    answer = client.post(f"{URL}?{query}", content=data, headers={"Content-Type": "image/png"})
    assert problem_of(answer, status)["field"] == field


def test_the_query_of_a_form_counts_and_one_of_json_is_refused(client):
    image = {"images": ("a.png", png())}
    answer = client.post(f"{URL}?explain=true&models={DETECTOR}", files=image)
    [result] = answer.json()["results"]
    assert [each["model_uuid"] for each in result["models"]] == [str(DETECTOR)]
    assert result["models"][0]["activation_map"]
    assert (
        client.post(f"{URL}?explain=true", files=image, data={"explain": "false"}).json()["results"][0]["models"][0][
            "activation_map"
        ]
        is None
    ), "a field goes before the query"
    for query, field in (("models=x", "models.0"), ("explian=true", "explian")):
        problem_of(client.post(f"{URL}?{query}", files=image), 422, "invalid-request", field)
    problem_of(client.post(f"{URL}?explain=true", json={"images": [str(uuid4())]}), 422, "invalid-request", "explain")
