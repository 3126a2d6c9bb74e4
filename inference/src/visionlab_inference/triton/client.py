"""A Triton server over HTTP, one blocking call at a time."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote

from numpy.typing import NDArray

from visionlab_inference.backend import ModelFailed, ServingState, Tensors
from visionlab_inference.triton.statistics import ModelStatistics, read_statistics
from visionlab_inference.triton.tensors import HEADER_LENGTH, decode_response, encode_request


class TritonClient:
    """Each call makes a connection of its own and waits at most `timeout` seconds for each part of the answer.

    Raises:
        OSError: from every method, where the server does not answer.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1", timeout: float = 60.0) -> None:
        self._address = (host, port)
        self._timeout = timeout

    def ready(self) -> bool:
        """True once the server answers inferences and each model whose configuration it can read is ready."""
        return self._call("GET", "/v2/health/ready")[0] == http.client.OK

    def model_ready(self, name: str) -> bool:
        """True where the server has this model and answers for it."""
        return self._call("GET", f"/v2/models/{quote(name, safe='')}/ready")[0] == http.client.OK

    def server_id(self) -> str:
        """What the server was told to call itself (`--id`).

        Raises:
            ValueError: it answers something else.
        """
        status, _, body = self._call("GET", "/v2")
        if status != http.client.OK:
            raise ConnectionError(f"Triton answers {status}: {_message(body)}")
        return str(json.loads(body).get("name", ""))

    def models(self) -> dict[str, ServingState]:
        """The models that the server found in its repository, by name.

        https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
        """
        status, _, body = self._call("POST", "/v2/repository/index")
        if status != http.client.OK:
            raise ConnectionError(f"Triton answers {status}: {_message(body)}")
        return {entry["name"]: _state(entry) for entry in json.loads(body)}

    def statistics(self) -> dict[str, ModelStatistics]:
        """What the server has done since its start, by model.

        Raises:
            ValueError: it answers something else.
        """
        status, _, body = self._call("GET", "/v2/models/stats")
        if status != http.client.OK:
            raise ConnectionError(f"Triton answers {status}: {_message(body)}")
        return read_statistics(json.loads(body))

    def infer(self, model: str, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """Run a model on named tensors that share their first dimension N (1 or more); gives all outputs.

        Raises:
            ModelFailed: the server refuses the request or the model fails; the message is the server's.
            ValueError: an input has a dtype that no model takes.
        """
        body, fields = encode_request(inputs)
        status, headers, answer = self._call("POST", f"/v2/models/{quote(model, safe='')}/infer", body, fields)
        if status != http.client.OK:
            raise ModelFailed(f"{model}: Triton answers {status}: {_message(answer)}")
        return decode_response(answer, int(headers.get(HEADER_LENGTH, len(answer))))

    def _call(
        self, method: str, path: str, body: bytes | None = None, fields: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(*self._address, timeout=self._timeout)
        try:
            connection.request(method, path, body, fields or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"Triton broke the connection: {error!r}") from error
        finally:
            connection.close()


def _state(entry: dict[str, str]) -> ServingState:
    match entry.get("state"):
        case "READY":
            return ServingState("ready")
        case "LOADING":
            return ServingState("loading")
        case state:
            return ServingState("failed", entry.get("reason") or state or "not loaded")


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):
        return answer.decode(errors="replace")
