"""Releases served by Triton servers that KServe runs: an InferenceService for each pool.

`deployer` and `api` need the extra `kubernetes`; who only calls the servers needs `manifests`, which does without.
"""
