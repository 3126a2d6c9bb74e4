"""Serves `backend: "onnxruntime"` on CPUs: one session a model instance, one run for each batch that Triton gathers.

Triton finds this file as `backends/onnxruntime/model.py` ("Python-based backend") and runs it in the environment of the server,
which has numpy and onnxruntime and none of our packages.
https://github.com/triton-inference-server/backend/blob/main/docs/python_based_backends.md
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]

# Names of the C++ backend's own parameters, so that one configuration does for both.
INTRA_OP_THREADS: Final = "intra_op_thread_count"
INTER_OP_THREADS: Final = "inter_op_thread_count"
THREADS_VARIABLE: Final = "VISIONLAB_ONNX_THREADS"
"""Threads within an operator where the configuration does not say."""
DEFAULT_MODEL_FILE: Final = "model.onnx"

_ONNX_TYPES: Final = {
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP32": "tensor(float)",
}


class TritonPythonModel:
    """An instance of a model. Triton calls its methods, one at a time."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model.

        Raises:
            pb_utils.TritonModelException: the file is no ONNX model, or its tensors are not those of the configuration.
        """
        config = json.loads(args["model_config"])
        file = config["default_model_filename"] or DEFAULT_MODEL_FILE
        path = Path(args["model_repository"]) / args["model_version"] / file
        try:
            self._session = ort.InferenceSession(path, _options(config), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            raise pb_utils.TritonModelException(f"ONNX Runtime cannot load {file}: {error}") from error
        _check_tensors(config, self._session)
        self._outputs = [output["name"] for output in config["output"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch. Triton has checked names, types and shapes of each request's inputs against the configuration."""
        inputs = [{tensor.name(): tensor.as_numpy() for tensor in request.inputs()} for request in requests]
        sizes = [len(next(iter(tensors.values()))) for tensors in inputs]
        try:
            joint = {name: np.concatenate([tensors[name] for tensors in inputs]) for name in inputs[0]}
            wanted = {name for request in requests for name in request.requested_output_names()}
            names = [name for name in self._outputs if name in wanted]
            outputs = dict(zip(names, self._session.run(names, joint), strict=True))
        except Exception as error:  # as above
            if len(requests) == 1:
                return [pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))]
            # Only the request that the model fails on shall hear of it.
            return [response for request in requests for response in self.execute([request])]
        ends = np.cumsum(sizes)
        return [
            _response(request, {name: value[end - size : end] for name, value in outputs.items()})
            for request, size, end in zip(requests, sizes, ends, strict=True)
        ]


def _options(config: dict[str, Any]) -> ort.SessionOptions:
    def threads(parameter: str, default: str) -> int:
        return int(config["parameters"].get(parameter, {}).get("string_value", default))

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads(INTRA_OP_THREADS, os.environ.get(THREADS_VARIABLE, "1"))
    options.inter_op_num_threads = threads(INTER_OP_THREADS, "1")
    options.log_severity_level = 3
    return options


def _check_tensors(config: dict[str, Any], session: ort.InferenceSession) -> None:
    if config["max_batch_size"] < 1:
        raise pb_utils.TritonModelException("max_batch_size is 0; this backend serves models with a batch dimension alone.")
    graph = {node.name: node for node in session.get_inputs()}
    if graph.keys() != {tensor["name"] for tensor in config["input"]}:
        raise pb_utils.TritonModelException(f"The graph's inputs are {', '.join(graph)}; the configuration has others.")
    graph |= {node.name: node for node in session.get_outputs()}
    for tensor in (*config["input"], *config["output"]):
        name, wanted = tensor["name"], (_ONNX_TYPES.get(tensor["data_type"]), tensor["dims"])
        node = graph.get(name)
        # A dimension that is open in the graph has a name there, and is -1 in the configuration.
        found = node and (node.type, [size if isinstance(size, int) else -1 for size in node.shape[1:]])
        if found != wanted:
            raise pb_utils.TritonModelException(
                f"{name!r} is {tensor['data_type']} {tensor['dims']} in the configuration and {found or 'not'} in the graph."
            )


def _response(request: Any, outputs: dict[str, Any]) -> Any:
    wanted = request.requested_output_names()
    return pb_utils.InferenceResponse([pb_utils.Tensor(name, value) for name, value in outputs.items() if name in wanted])
