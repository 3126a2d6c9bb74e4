"""Calls VisionLab as a client of Triton does, with NVIDIA's own library.

    oip_client.py HTTP_ADDRESS GRPC_ADDRESS INPUT.npy OUTPUT.npz

Run in an environment that has tritonclient, which cannot live in ours (see docs/decisions/0002).
"""

import sys

import numpy as np
import tritonclient.grpc
import tritonclient.http

MODEL = "tiny-detector"


def ask(library, address, images, **options):
    """The answers of one server, and what it says of itself."""
    client = library.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    metadata = client.get_model_metadata(MODEL, **options)
    tensor = library.InferInput("image", images.shape, "UINT8")
    tensor.set_data_from_numpy(images)
    result = client.infer(MODEL, [tensor], request_id="7", outputs=[library.InferRequestedOutput("probabilities")])
    assert result.get_output("activation_map") is None
    try:
        client.infer("no-such-model", [tensor])
    except library.InferenceServerException as error:
        refusal = error.message()
    client.close()
    return result.as_numpy("probabilities"), metadata, refusal


def main():
    http, grpc, source, target = sys.argv[1:]
    images = np.load(source)
    answers = {}
    for name, library, address, options in (
        ("http", tritonclient.http, http, {}),
        ("grpc", tritonclient.grpc, grpc, {"as_json": True}),
    ):
        answers[name], metadata, refusal = ask(library, address, images, **options)
        shapes = [[int(size) for size in each["shape"]] for each in metadata["inputs"]]
        assert shapes == [[-1, 224, 224, 3]], shapes
        assert metadata["versions"] == ["1"]
        assert "tiny-detector" in refusal, refusal
    np.savez(target, **answers)


main()
