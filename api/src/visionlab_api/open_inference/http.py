"""The protocol over HTTP, under `/v2`. Errors have the protocol's form, `{"error": "..."}`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from visionlab_api.accounts.gate import caller_in
from visionlab_api.client_gone import DroppedWithClient
from visionlab_api.dependencies import StateDep
from visionlab_api.open_inference import models
from visionlab_api.open_inference.http_body import parse_request, render_response
from visionlab_api.problems import ProblemError, as_problem
from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.state import State


class _ProtocolRoute(APIRoute):
    """Answers foreseen errors in the protocol's form instead of as problems."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The handler of the route, with its errors caught."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                problem = as_problem(error)
                if problem is None:
                    raise
                return _error(problem)

        return answer


router = APIRouter(prefix="/v2", route_class=_ProtocolRoute)


@router.get("")
async def oip_server() -> dict[str, Any]:
    """Name, version and protocol extensions."""
    return {"name": models.SERVER_NAME, "version": models.SERVER_VERSION, "extensions": list(models.EXTENSIONS)}


@router.get("/health/live")
async def oip_live() -> dict[str, bool]:
    """200 while it answers."""
    return {"live": True}


@router.get("/health/ready")
async def oip_ready(state: StateDep) -> JSONResponse:
    """200 while each enabled model answers, else 503."""
    return _readiness({"ready": await models.ready(state)})


@router.get("/models/{name}")
@router.get("/models/{name}/versions/{version}")
async def oip_model(name: str, state: StateDep, version: str = "") -> dict[str, Any]:
    """Its versions in service, and its tensors."""
    model = models.enabled_model(state.serving, name, version)

    def tensors(specs: Any) -> list[dict[str, Any]]:
        return [{"name": name, "datatype": datatype, "shape": shape} for name, datatype, shape in models.described(specs)]

    return {
        "name": model.card.name,
        "versions": models.versions(state.serving, model),
        "platform": models.PLATFORM,
        "inputs": tensors(model.card.inputs),
        "outputs": tensors(model.card.outputs),
    }


@router.get("/models/{name}/ready")
@router.get("/models/{name}/versions/{version}/ready")
async def oip_model_ready(name: str, state: StateDep, version: str = "") -> JSONResponse:
    """200 while the model answers, else 503."""
    model = models.enabled_model(state.serving, name, version)
    return _readiness({"name": name, "ready": state.serving.state(model)[0] == "ready"})


@router.post("/models/{name}/infer")
@router.post("/models/{name}/versions/{version}/infer")
async def oip_infer(name: str, request: Request, state: StateDep, version: str = "") -> Response:
    """The body is the protocol's JSON, or with the binary tensor data extension JSON and the tensors' bytes.

    Detectors take `image`, UINT8 [N, 224, 224, 3], and give `probabilities`, FP32 [N, 4], in the order human, human_gen, anime,
    anime_gen. More rows than 8 are bulk work, and let people go first.
    """
    model = models.enabled_model(state.serving, name, version)
    if encoding := request.headers.get("content-encoding"):
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "", f"The body is {encoding[:20]!r}; send it plain."
        )
    return await _infer(model, await request.body(), request, state)


async def _infer(model: KnownModel, body: bytes, request: Request, state: State) -> Response:
    # JSON of a batch is megabytes: not on the event loop.
    asked = await state.decoder.run(partial(parse_request, body, request.headers.get("inference-header-content-length")))
    async with DroppedWithClient(request.receive):
        result = await models.run(state, model, asked.inputs, caller_in(request))
    answer, fields = await state.decoder.run(partial(render_response, model.card.name, model.card.version, asked, result.outputs))
    return Response(answer, headers=fields)


def _readiness(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, HTTPStatus.OK if body["ready"] else HTTPStatus.SERVICE_UNAVAILABLE)


def _error(problem: ProblemError) -> JSONResponse:
    headers = {} if problem.retry_after is None else {"Retry-After": str(ceil(problem.retry_after))}
    return JSONResponse({"error": str(problem)}, int(problem.status), headers)
