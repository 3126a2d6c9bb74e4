"""Log lines stay lines, whatever is logged; request ids stay harmless; metrics can be read."""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from visionlab_core.telemetry import (
    Metrics,
    accept_request_id,
    configure_logging,
    new_request_id,
    request_id,
    traces_endpoint,
)

LOGGER = logging.getLogger("visionlab.test")


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Gives what was written since it was last asked; afterwards logging is as it was before."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    yield lambda: capsys.readouterr().err
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logging.captureWarnings(False)


def only_line(text: str) -> dict[str, Any]:
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1
    assert text.isascii()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    line = json.loads(text, parse_constant=refuse)
    assert isinstance(line, dict)
    return line


def in_request(identity: str, call: Any) -> None:
    context = contextvars.copy_context()
    context.run(request_id.set, identity)
    context.run(call)


def test_a_line_tells_when_what_who_and_for_which_request(stderr: Callable[[], str]) -> None:
    configure_logging("info", json=True)
    in_request("abc-1", lambda: LOGGER.info("stored %d images", 3, extra={"route": "/images", "seconds": 0.5}))
    line = only_line(stderr())
    assert abs(datetime.fromisoformat(line.pop("time")) - datetime.now(UTC)) < timedelta(minutes=1)
    assert line == {
        "level": "INFO",
        "logger": "visionlab.test",
        "message": "stored 3 images",
        "request_id": "abc-1",
        "route": "/images",
        "seconds": 0.5,
    }


def test_outside_of_requests_there_is_no_id(stderr: Callable[[], str]) -> None:
    configure_logging()
    LOGGER.warning("x")
    assert only_line(stderr())["request_id"] is None


NASTY = 'a\nb\r\n{"level": "FORGED"}\u2028\u2029\x85\x0b\x0c\x1b[31m\0\udc80"é'


@pytest.mark.parametrize("where", ["message", "argument", "extra", "logger"])
def test_what_is_logged_cannot_forge_a_line(stderr: Callable[[], str], where: str) -> None:
    for as_json in (True, False):
        configure_logging(json=as_json)
        if where == "message":
            LOGGER.error(NASTY)
        elif where == "argument":
            LOGGER.error("%s", NASTY)
        elif where == "extra":
            LOGGER.error("x", extra={"path": NASTY})
        else:
            logging.getLogger(NASTY).error("x")
        text = stderr()
        assert len(text.splitlines()) == 1
        assert text.count("\n") == 1
        assert text[:-1].isprintable()
        if as_json:
            assert NASTY in only_line(text).values()


def test_exceptions_are_text(stderr: Callable[[], str]) -> None:
    configure_logging()
    try:
        raise ValueError(NASTY)
    except ValueError:
        LOGGER.exception("failed", stack_info=True)
    line = only_line(stderr())
    assert line["message"] == "failed"
    assert "Traceback" in line["exception"]
    assert "ValueError: a\nb" in line["exception"]
    assert "Stack (most" in line["exception"]


def test_a_traceback_for_people_is_indented(stderr: Callable[[], str]) -> None:
    configure_logging(json=False)
    try:
        raise ValueError(NASTY)
    except ValueError:
        in_request("abc-1", lambda: LOGGER.exception("failed", extra={"route": "/x"}))
    first, *others = stderr().splitlines()
    assert " ERROR " in first
    assert "visionlab.test [abc-1] failed route=/x" in first
    assert others
    assert all(line.startswith("    ") and line.isprintable() for line in others)


class Silent:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


CIRCULAR: list[object] = []
CIRCULAR.append(CIRCULAR)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {(1, 2): 3}, CIRCULAR, Silent(), b"\xff", {1, 2}, datetime.now(UTC), None]
)
def test_any_extra_can_be_logged(stderr: Callable[[], str], value: object) -> None:
    configure_logging()
    LOGGER.error("still here", extra={"value": value})
    line = only_line(stderr())
    assert (line["message"], line["request_id"]) == ("still here", None)
    assert "value" in line


def test_arguments_that_do_not_fit_are_told(stderr: Callable[[], str]) -> None:
    configure_logging()
    LOGGER.error("%d images", "three")
    assert only_line(stderr())["message"] == "%d images ('three',)"


def test_extras_do_not_replace_the_fields(stderr: Callable[[], str]) -> None:
    configure_logging()
    in_request("true", lambda: LOGGER.error("x", extra={"request_id": "forged", "level": "DEBUG"}))
    line = only_line(stderr())
    assert (line["request_id"], line["level"], line["extra_request_id"], line["extra_level"]) == (
        "true",
        "ERROR",
        "forged",
        "DEBUG",
    )


def test_levels(stderr: Callable[[], str]) -> None:
    configure_logging("warning")
    configure_logging("warning")
    LOGGER.info("quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("heard", stacklevel=1)
    assert "heard" in only_line(stderr())["message"]
    with pytest.raises(ValueError, match="LOUD"):
        configure_logging("loud")


def test_request_ids_do_not_leak_between_threads() -> None:
    seen: list[str | None] = []
    in_request(
        "mine", lambda: (thread := threading.Thread(target=lambda: seen.append(request_id.get()))).start() or thread.join()
    )
    assert seen == [None]
    assert request_id.get() is None


@pytest.mark.parametrize("incoming", ["a", "A-b_c.9", "x" * 64, "7f0c6a0e-6d0e-4a7e-9f0e-3f4f6a0b1c2d"])
def test_harmless_ids_are_kept(incoming: str) -> None:
    assert accept_request_id(incoming) == incoming


@pytest.mark.parametrize("incoming", [None, "", "x" * 65, "a b", "a\n", "a\r\nX-Evil: 1", "é", "<script>", "a/b", "\0"])
def test_other_ids_are_replaced(incoming: str | None) -> None:
    fresh = accept_request_id(incoming)
    assert fresh != incoming
    assert accept_request_id(fresh) == fresh
    assert fresh != new_request_id()


ORDER = ["method", "route", "status", "model", "version", "le", "generation", "implementation", "major", "minor", "patchlevel"]


def test_metrics_are_read_by_prometheus() -> None:
    metrics = Metrics()
    metrics.http_requests.labels("GET", "/images/{uuid}", "200").inc()
    metrics.http_request_seconds.labels("GET", "/images/{uuid}").observe(0.004)
    metrics.decode_seconds.observe(0.002)
    metrics.inference_queue_seconds.labels("m", "1").observe(0.001)
    metrics.inference_seconds.labels("m", "1").observe(20)
    metrics.inference_batch_size.labels("m", "1").observe(3)
    metrics.images_generated.labels("g").inc(12)
    metrics.images_classified.labels("m").inc()
    samples = {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels, key=ORDER.index))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }
    assert samples["visionlab_http_requests_total", "GET", "/images/{uuid}", "200"] == 1
    assert samples["visionlab_http_request_seconds_bucket", "GET", "/images/{uuid}", "0.0025"] == 0
    assert samples["visionlab_http_request_seconds_bucket", "GET", "/images/{uuid}", "0.005"] == 1
    assert samples["visionlab_inference_seconds_bucket", "m", "1", "10.0"] == 0
    assert samples["visionlab_inference_seconds_count", "m", "1"] == 1
    assert samples["visionlab_inference_batch_size_bucket", "m", "1", "4.0"] == 1
    assert samples["visionlab_images_generated_total", "g"] == 12
    assert samples["visionlab_images_classified_total", "m"] == 1


def test_two_sets_of_metrics_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.images_generated.labels("g").inc()
    assert b'visionlab_images_generated_total{model="g"}' not in other.render()


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/"}, "http://collector:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector/spans"}, "http://collector/spans"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/spans"}, "http://b/spans"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "True"}, None),
    ],
)
def test_spans_go_where_the_environment_says(
    environment: dict[str, str], url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert traces_endpoint() == url
