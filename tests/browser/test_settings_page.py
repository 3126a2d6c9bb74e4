"""System Settings as an operator uses them, at a desk and on a phone."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert
from support.server import ADMIN_TOKEN
from support.tiny_models import detector_onnx
from support.tus import upload_file

from visionlab_api.database.tables import ChallengeRow
from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import ModelCard
from visionlab_core.training_job import Agreement, Comparison, Gain

from .conftest import ROOT

AXE = ROOT / "ui/node_modules/axe-core/axe.min.js"
# Trying a model in the sandbox takes long on a machine that has much to do.
SECONDS = 120_000


@pytest.fixture
def settings(page: Page) -> Page:
    """The page, signed in."""
    page.goto("/settings")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Token").fill(ADMIN_TOKEN)
    dialog.get_by_label("Token").press("Enter")
    expect(page.get_by_role("button", name="Add a model")).to_be_visible()
    return page


def part(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    expect(page.get_by_role("tabpanel", name=name)).to_be_visible()


def assert_accessible(page: Page) -> None:
    # By evaluate, as the page's own policy lets no script in that is not its own.
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_who_is_not_signed_in_may_look(page):
    page.goto("/settings")
    expect(page.get_by_role("switch", name="EfficientNet-Lite0: in service")).to_be_disabled()
    expect(page.get_by_role("slider", name="Images per batch")).to_be_disabled()
    assert_accessible(page)
    for name in ("Challenges", "API keys", "Audit log"):
        part(page, name)
        expect(page.get_by_role("main").get_by_role("button", name="Sign in")).to_be_visible()
    part(page, "My pictures")
    expect(page.get_by_text("Nothing of yours is here")).to_be_visible()


def test_a_second_detector_is_switched_on_and_off(settings, server):
    switch = settings.get_by_role("switch", name="MobileNetV2: in service")
    card = settings.get_by_role("listitem").filter(has=switch)
    switch.click()
    expect(card.get_by_text("Ready")).to_be_visible(timeout=SECONDS)
    in_service = {model["name"] for model in server.client.get("/backend/model/detector?status=enabled").json()}
    assert "mobilenetv2" in in_service
    switch.click()
    expect(card.get_by_text("Off", exact=True)).to_be_visible()


def test_images_per_batch_are_kept(settings, server):
    slider = settings.get_by_role("slider", name="Images per batch")
    slider.focus()
    slider.press("ArrowRight")
    expect(settings.get_by_text("Saved")).to_be_visible()
    assert server.client.get("/backend/settings").json()["images_per_batch"] == 11
    slider.press("ArrowLeft")
    expect(slider).to_have_value("10")


def test_details_and_what_may_not_be_removed(settings):
    settings.get_by_role("button", name="Details of EfficientNet-Lite0").click()
    sheet = settings.get_by_role("dialog", name="EfficientNet-Lite0")
    expect(sheet.get_by_role("table", name=re.compile("which class was called what"))).to_be_visible()
    sheet.get_by_role("button", name="Unseen").click()
    expect(sheet.get_by_text("84.3%").first).to_be_visible()
    assert_accessible(settings)
    settings.keyboard.press("Escape")
    expect(sheet).not_to_be_visible()
    # An ensemble stands on it: the server says so, the page shows it.
    settings.get_by_role("button", name="Details of DenseNet121").click()
    settings.get_by_role("button", name="Remove", exact=True).click()
    settings.get_by_role("alertdialog").get_by_role("button", name="Remove for good").click()
    expect(settings.get_by_role("alertdialog").get_by_text(re.compile("stands on DenseNet121"))).to_be_visible()
    settings.complaints.clear()  # the browser's console tells of the 409 as well


def test_a_model_from_elsewhere_is_uploaded_and_removed(settings):
    name = f"tiny-{uuid4().hex[:8]}"
    settings.get_by_role("button", name="Add a model").click()
    dialog = settings.get_by_role("dialog", name="Add a model")
    bad = {"name": "no-model.onnx", "mimeType": "application/octet-stream", "buffer": b"Dear Sir or Madam"}
    dialog.get_by_label("File of the model").set_input_files(bad)
    expect(dialog.get_by_text("Uploaded")).to_be_visible(timeout=SECONDS)
    dialog.get_by_role("button", name="Check and add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ONNX", timeout=SECONDS)
    settings.complaints.clear()  # the browser's console tells of the 422 as well

    good = {"name": "tiny.onnx", "mimeType": "application/octet-stream", "buffer": detector_onnx(3)}
    dialog.get_by_label("File of the model").set_input_files(good)
    expect(dialog.get_by_text("tiny.onnx")).to_be_visible()
    expect(dialog.get_by_text("Uploaded")).to_be_visible(timeout=SECONDS)
    dialog.get_by_role("textbox", name="Name").fill(name)
    dialog.get_by_label("What people read").fill(name)
    assert_accessible(settings)
    dialog.get_by_role("button", name="Check and add").click()
    dialog = settings.get_by_role("dialog", name=f"{name} is there, switched off.")
    expect(dialog).to_be_visible(timeout=SECONDS)
    dialog.get_by_role("button", name="Switch it on").click()
    switch = settings.get_by_role("switch", name=f"{name}: in service")
    expect(settings.get_by_role("listitem").filter(has=switch).get_by_text("Ready", exact=True)).to_be_visible(timeout=SECONDS)

    settings.get_by_role("button", name=f"Details of {name}").click()
    settings.get_by_role("button", name="Remove", exact=True).click()
    settings.get_by_role("button", name="Switch off and remove").click()
    expect(switch).not_to_be_visible()


@pytest.fixture(scope="module")
def dcgan_weights(tmp_path_factory) -> bytes:
    """Of a narrow DCGAN that learnt nothing, as Keras writes them."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    from visionlab_export.weights import round_kernels
    from visionlab_training.zoo import dcgan

    generator = dcgan.generator(4)
    round_kernels(generator)
    file = tmp_path_factory.mktemp("weights") / "dcgan.weights.h5"
    generator.save_weights(file)
    return file.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["desk"], indirect=True)  # the conversion takes a minute
def test_weights_of_keras_become_a_model_that_serves(settings, server, dcgan_weights):
    name = f"narrow-{uuid4().hex[:8]}"
    settings.get_by_role("button", name="Add a model").click()
    dialog = settings.get_by_role("dialog", name="Add a model")
    whole = {"name": "whole.keras", "mimeType": "application/octet-stream", "buffer": b"PK"}
    dialog.get_by_label("File of the model").set_input_files(whole)
    expect(dialog.get_by_role("alert")).to_contain_text("save_weights")
    file = {"name": f"dcgan-{name}.weights.h5", "mimeType": "application/octet-stream", "buffer": dcgan_weights}
    dialog.get_by_label("File of the model").set_input_files(file)
    # The file's name says what it is of.
    expect(dialog.get_by_role("combobox", name="Architecture")).to_contain_text("DCGAN")
    expect(dialog.get_by_role("button", name="A generator")).to_have_attribute("aria-pressed", "true")
    expect(dialog.get_by_text("Uploaded")).to_be_visible(timeout=SECONDS)
    dialog.get_by_role("textbox", name="Name").fill(name)
    dialog.get_by_label("What people read").fill(name)
    assert_accessible(settings)
    # What it is by default, these weights are not.
    expect(dialog.get_by_label("Width")).to_have_value("128")
    dialog.get_by_label("Width").fill("4")
    dialog.get_by_role("button", name="Check and add").click()
    expect(dialog.get_by_role("status").filter(has_text="Making a model of the weights")).to_be_visible()
    dialog = settings.get_by_role("dialog", name=f"{name} is there, switched off.")
    expect(dialog).to_be_visible(timeout=SECONDS)
    dialog.get_by_role("button", name="Switch it on").click()
    switch = settings.get_by_role("switch", name=f"{name}: in service")
    expect(settings.get_by_role("listitem").filter(has=switch).get_by_text("Ready", exact=True)).to_be_visible(timeout=SECONDS)
    model = next(each for each in server.client.get("/backend/model/generator").json() if each["name"] == name)
    made = server.client.post("/backend/image/generate", json={"models": [model["uuid"]], "count": 1}).raise_for_status()
    assert len(made.json()["images"]) == 1
    server.admin.patch(f"/backend/model/{model['uuid']}/status/disabled").raise_for_status()
    server.admin.delete(f"/backend/model/{model['uuid']}").raise_for_status()


def test_a_key_is_made_shown_once_and_revoked(settings, server):
    name = f"import {uuid4().hex[:8]}"
    part(settings, "API keys")
    settings.get_by_role("button", name="Make a key").first.click()
    settings.get_by_label("What is it for?").fill(name)
    settings.get_by_role("checkbox", name=re.compile("^Models")).check()
    settings.get_by_role("button", name="Make the key").click()
    secret = settings.get_by_role("textbox", name="The key").input_value()
    call = {"headers": {"Authorization": f"Bearer {secret}"}}
    assert set(server.client.get("/backend/session", **call).json()["scopes"]) == {"inference", "models"}
    settings.get_by_role("button", name="I have it").click()
    assert secret not in settings.content()
    assert_accessible(settings)
    settings.get_by_role("button", name=f"Revoke {name}").click()
    settings.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    # It closes once the server has done it; until then nothing behind it is to be seen.
    expect(settings.get_by_role("alertdialog")).not_to_be_visible()
    expect(settings.get_by_role("button", name=f"Revoke {name}")).not_to_be_visible()
    assert server.client.get("/backend/session", **call).status_code == 401

    part(settings, "Audit log")
    expect(settings.get_by_text("Revoked an API key").first).to_be_visible()
    assert_accessible(settings)


def _metrics(model: str, version: int):
    card = ModelCard.model_validate_json((ROOT / "models" / model / str(version) / "card.json").read_text())
    return card.metrics["test"]


@pytest.fixture
def proposal(server):
    """A detector with two versions, of which the second is proposed to take over."""
    name = f"duel-{uuid4().hex[:8]}"
    made = {}
    for version in (1, 2):
        upload = upload_file(server.admin, "duel.onnx", detector_onnx(version))
        body = {"upload": upload, "type": "detector", "name": name, **({"model": made["uuid"]} if version == 2 else {})}
        made = server.admin.post("/backend/model", json=body).raise_for_status().json()
    server.admin.patch(f"/backend/model/{made['uuid']}/status/enabled?version=1").raise_for_status()
    champion = _metrics("8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e01", 2)
    challenger = _metrics("8f1c7e0a-5a43-4c0e-9a55-2c6f0d7b1e07", 2)
    comparison = Comparison(
        images=champion.images,
        left_out=0,
        champion=champion,
        challenger=challenger,
        champion_balanced_accuracy=0.9,
        challenger_balanced_accuracy=0.93,
        agreement=Agreement(both_right=80, only_champion=3, only_challenger=12, both_wrong=5),
        p_value=0.02,
        gain=Gain(value=0.03, low=0.01, high=0.05),
        class_gains={each: 0.01 for each in FACE_CLASSES},
    )
    rule = {"min_labels": 8, "min_judged": 20, "held_out": 0.5, "min_gain": 0.0, "max_p_value": 0.05, "max_class_loss": 0.05}
    row = {
        "uuid": uuid4(),
        "model_uuid": UUID(made["uuid"]),
        "model_name": name,
        "champion_version": 1,
        "challenger_version": 2,
        "state": "proposed",
        "made_by": "demand",
        "rule": rule,
        "new_labels": 12,
        "comparison": json.loads(comparison.model_dump_json()),
        "verdict": [{"name": "min_gain", "passed": True, "says": "Balanced accuracy gains 3.0 points."}],
        "created_at": datetime.now(UTC),
    }
    with server.database() as connection:
        connection.execute(insert(ChallengeRow).values(**row))
    yield {**row, "uuid": str(row["uuid"]), "model": made["uuid"]}
    for version in (1, 2):
        server.admin.patch(f"/backend/model/{made['uuid']}/status/disabled?version={version}")


def test_a_proposal_is_compared_accepted_and_rolled_back(settings, server, proposal):
    def in_service():
        models = server.client.get("/backend/model/detector?status=enabled").json()
        return [model["version"] for model in models if model["uuid"] == proposal["model"]]

    part(settings, "Challenges")
    card = settings.get_by_role("article", name=re.compile(proposal["model_name"]))
    expect(card.get_by_text("Balanced accuracy gains 3.0 points.")).to_be_visible()
    expect(card.get_by_role("table", name="Confusion: Challenger")).to_be_visible()
    assert_accessible(settings)
    card.get_by_role("button", name="Switch to the challenger").click()
    expect(card.get_by_text("Took over")).to_be_visible()
    assert in_service() == [2]
    card.get_by_role("button", name="Roll back").click()
    expect(card.get_by_text("Rolled back")).to_be_visible()
    assert in_service() == [1]


def test_my_pictures_are_mine_to_delete(page, server):
    page.goto("/settings?part=pictures")
    model = next(m for m in server.client.get("/backend/model/generator").json() if m["name"] == "dcgan-anime")
    made = server.client.post("/backend/image/generate", json={"models": [model["uuid"]], "count": 1}).json()["images"][0]
    face = server.client.get(made["url"]).content
    for name in ("one.png", "two.png"):
        page.request.post("/backend/image", multipart={"file": {"name": name, "mimeType": "image/png", "buffer": face}})
    page.reload()
    expect(page.get_by_role("img", name="Your picture two.png")).to_be_visible()
    page.get_by_role("button", name="Delete one.png").click()
    expect(page.get_by_role("img", name="Your picture one.png")).not_to_be_visible()
    page.get_by_role("button", name="Delete all of them").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete all").click()
    expect(page.get_by_text("Nothing of yours is here")).to_be_visible()
    assert page.request.get("/backend/image?type=uploaded&mine=true").json()["images"] == []
