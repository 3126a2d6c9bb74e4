"""Traces of requests through the rooms and into Triton, after OpenTelemetry; W3C trace context ties them together.

Off unless a collector is named in the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT):
https://opentelemetry.io/docs/specs/otel/protocol/exporter/ . Other OTEL_* variables, such as OTEL_TRACES_SAMPLER, are heeded too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import propagate, trace

Attribute = str | int | float | bool

_tracer: trace.Tracer | None = None


def traces_endpoint() -> str | None:
    """The URL that the environment says spans are to be sent to (OTLP over HTTP); None where it names none."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if url := os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return url
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return f"{base.rstrip('/')}/v1/traces" if base else None


def configure_tracing(service: str, version: str) -> Callable[[], None]:
    """Send spans to the collector that the environment names, if it names one; call the result at the end, to send the last ones.

    `service` is what spans are filed under, unless OTEL_SERVICE_NAME says otherwise. Needs the packages opentelemetry-sdk and
    opentelemetry-exporter-otlp-proto-http where a collector is named.
    """
    global _tracer  # noqa: PLW0603 - a process has one tracer, as OpenTelemetry has it
    if traces_endpoint() is None:
        return lambda: None
    # Imported only where it is wanted: it costs memory and start-up time.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, "service.version": version}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("visionlab", version)
    return provider.shutdown


def span(name: str, attributes: Mapping[str, Attribute] | None = None) -> AbstractContextManager[object]:
    """A part of the current request's work, as long as the block lasts; nothing where tracing is off."""
    if _tracer is None:
        return nullcontext()
    return _tracer.start_as_current_span(name, attributes=dict(attributes or {}))


def name_request(method: str, route: str) -> None:
    """Name the current request's span after the route that answers it, where the framework does not."""
    if _tracer is not None:
        request = trace.get_current_span()
        request.update_name(f"{method} {route}")
        request.set_attribute("http.route", route)


def trace_headers() -> dict[str, str]:
    """What to send along with a call to another server, so that its spans join this trace; empty where nothing is recorded.

    A trace that the sampler leaves out is not handed on: Triton would record its part all the same.
    """
    headers: dict[str, str] = {}
    if _tracer is not None and trace.get_current_span().get_span_context().trace_flags.sampled:
        propagate.inject(headers)
    return headers
