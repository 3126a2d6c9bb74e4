"""Which models a request means."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from visionlab_api.problems import ProblemError, not_found
from visionlab_api.reconcile.model_table import KnownModel
from visionlab_api.reconcile.serving import ServingLoop
from visionlab_core.model_card import ModelKind


async def choose_models(
    serving: ServingLoop, kind: ModelKind, uuids: Sequence[UUID] | None, field: str = "models"
) -> list[KnownModel]:
    """`chosen_models`; what this process may not have heard of yet, it looks for before it refuses.

    Raises:
        ProblemError: see `chosen_models`.
    """
    try:
        return chosen_models(serving, kind, uuids, field)
    except ProblemError:
        await serving.catch_up()
        return chosen_models(serving, kind, uuids, field)


def chosen_models(serving: ServingLoop, kind: ModelKind, uuids: Sequence[UUID] | None, field: str = "models") -> list[KnownModel]:
    """The models of a kind by uuid, without repetitions; all that are ready where `uuids` is None. `field` asks for them.

    Raises:
        ProblemError: 404 unknown or of another kind, 409 disabled, 503 not ready (with the reason).
    """
    if uuids is None:
        ready = [each for each in serving.enabled(kind) if serving.state(each)[0] == "ready"]
        if not ready:
            raise _none_ready(serving, kind)
        return ready
    return [_usable(serving, kind, uuid, field) for uuid in dict.fromkeys(uuids)]


def _usable(serving: ServingLoop, kind: ModelKind, uuid: UUID, field: str) -> KnownModel:
    model = serving.newest(uuid)
    if model is None or model.card.kind != kind:
        raise not_found(kind, uuid, field)
    state, reason = serving.state(model)
    name = f"{model.card.label} (version {model.card.version})"
    if state == "disabled":
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "model-disabled",
            "Model disabled",
            f"{name} is disabled; enable it or choose another.",
            field=field,
        )
    if state != "ready":
        raise _not_ready(model, reason, field)
    return model


def _none_ready(serving: ServingLoop, kind: ModelKind) -> ProblemError:
    # One that is on its way is worth waiting for, and says more than that there is none.
    for each in serving.enabled(kind):
        state, reason = serving.state(each)
        if state == "loading":
            return _not_ready(each, reason)
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, "no-model", f"No {kind}", f"No {kind} is in service; enable one.", retry_after=10
    )


def _not_ready(model: KnownModel, reason: str | None, field: str = "models") -> ProblemError:
    detail = f"{model.card.label} (version {model.card.version}) is not ready: {(reason or 'it is still loading').rstrip('.')}."
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "model-not-ready", "Model not ready", detail, field=field, retry_after=5)
