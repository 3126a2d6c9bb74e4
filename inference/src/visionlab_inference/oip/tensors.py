"""Tensors in the protocol's messages, as raw bytes: row-major and little-endian."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from visionlab_inference.backend import Tensors
from visionlab_inference.oip.open_inference_pb2 import ModelInferRequest, ModelInferResponse

DTYPES: Final[Mapping[str, np.dtype[Any]]] = MappingProxyType(
    {"UINT8": np.dtype("<u1"), "INT64": np.dtype("<i8"), "FP32": np.dtype("<f4")}
)
"""The protocol's names of the types that our models take and give."""

_NAMES: Final[dict[np.dtype[Any], str]] = {dtype: name for name, dtype in DTYPES.items()}


def datatype(name: str, tensor: NDArray[Any]) -> str:
    """The protocol's name of a tensor's type; `name` is for the message of an error.

    Raises:
        ValueError: no model takes or gives this type.
    """
    if tensor.dtype not in _NAMES:
        raise ValueError(f"Tensor {name!r} is {tensor.dtype}; models take {', '.join(map(str, _NAMES))}.")
    return _NAMES[tensor.dtype]


def encode_request(model: str, inputs: Tensors, outputs: Iterable[str] = ()) -> ModelInferRequest:
    """A request to a model; the server chooses the version.

    Args:
        model: name on the server.
        inputs: by name; uint8, int64 or float32.
        outputs: names of those that are wanted; none means all.

    Raises:
        ValueError: an input has another dtype.
    """
    request = ModelInferRequest(model_name=model)
    for name, value in inputs.items():
        request.inputs.add(name=name, datatype=datatype(name, value), shape=value.shape)
        request.raw_input_contents.append(value.tobytes())
    for name in outputs:
        request.outputs.add(name=name)
    return request


def decode_outputs(response: ModelInferResponse) -> dict[str, NDArray[Any]]:
    """The outputs by name. They share the memory of the response and cannot be written.

    Raises:
        ValueError: the response has no raw contents for each output, or not as many bytes as shape and type say, or a type that
            no model gives.
    """
    if len(response.raw_output_contents) != len(response.outputs):
        raise ValueError(
            f"The response has {len(response.outputs)} outputs and {len(response.raw_output_contents)} raw contents."
        )
    outputs: dict[str, NDArray[Any]] = {}
    for output, raw in zip(response.outputs, response.raw_output_contents, strict=True):
        if output.datatype not in DTYPES:
            raise ValueError(f"Output {output.name!r} is {output.datatype}; models give {', '.join(DTYPES)}.")
        outputs[output.name] = np.frombuffer(raw, DTYPES[output.datatype]).reshape(tuple(output.shape))
    return outputs
