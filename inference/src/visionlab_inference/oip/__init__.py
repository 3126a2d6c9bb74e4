"""The Open Inference Protocol, version 2, over gRPC: its messages, tensors in them, and a client's connection.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md

`open_inference_pb2` is generated from `open_inference.proto`, whose header says how to make it again. gRPC is imported by
`connection` alone, so that the rest costs nothing where nobody calls a server.
"""

from visionlab_inference.oip.tensors import DTYPES, decode_outputs, encode_request

__all__ = ["DTYPES", "decode_outputs", "encode_request"]
