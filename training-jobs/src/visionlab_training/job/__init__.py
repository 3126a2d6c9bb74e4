"""The job: what runs `visionlab-train` for an order in the object store, and keeps the store up to date with it.

It imports nothing that trains: the process that does is a child, which may run out of memory or crash, and then still has
somebody to say so.
"""
