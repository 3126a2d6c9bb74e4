"""The process in which a model from elsewhere is looked at; see `visionlab_inference.model_check.sandbox`."""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path


def main() -> None:
    """Print what was found as a JSON object: `problem`, or `inputs`, `outputs` and `parameters`."""
    parser = argparse.ArgumentParser(prog="visionlab_inference.model_check")
    parser.add_argument("model", type=Path)
    parser.add_argument("--kind", choices=("detector", "generator"), required=True)
    parser.add_argument("--classes", default="")
    parser.add_argument("--ordered", type=Path, help="where the model goes with its classes in our order")
    parser.add_argument("--memory", type=int, required=True, help="bytes of address space")
    parser.add_argument("--seconds", type=int, required=True, help="of CPU time")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (arguments.seconds, arguments.seconds + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    if arguments.ordered is None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (arguments.memory, arguments.memory))
    try:
        found = _look(arguments)
    except MemoryError:
        found = {"problem": "memory"}
    json.dump(found, sys.stdout)


def _look(arguments: argparse.Namespace) -> dict[str, object]:
    from visionlab_core.face_class import FaceClass
    from visionlab_inference.model_check.graph import UnusableGraph, check_size, in_our_order, parameters, read_graph
    from visionlab_inference.model_check.trial import try_out

    data = arguments.model.read_bytes()
    try:
        model = read_graph(data)
        check_size(model, arguments.memory)
        if arguments.ordered is not None:
            model = in_our_order(model, [FaceClass(name) for name in arguments.classes.split(",")])
            data = model.SerializeToString(deterministic=True)
        inputs, outputs = try_out(data, arguments.kind)
    except UnusableGraph as error:
        return {"problem": "memory" if "bad_alloc" in str(error) or "Failed to allocate" in str(error) else str(error)}
    if arguments.ordered is not None:
        arguments.ordered.write_bytes(data)
    tensors = {"inputs": inputs, "outputs": outputs}
    described = {name: [spec.model_dump(mode="json") for spec in specs] for name, specs in tensors.items()}
    return {**described, "parameters": parameters(model)}


if __name__ == "__main__":
    main()
