"""Kubernetes: `objects` for what is put into manifests, `api` to call the API server."""
