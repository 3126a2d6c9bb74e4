"""The Open Inference Protocol, version 2, in front of the models in service: clients of Triton and KServe work as they are.

https://github.com/kserve/open-inference-protocol
"""
