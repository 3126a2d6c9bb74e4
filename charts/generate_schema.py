"""Writes the JSON schema of a chart's values from its values.yaml: each key is of its default's type, and no other is known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

FREE = {"env", "nodeSelector", "annotations", "labels", "dashboardLabels", "from", "resources"}
"""Keys whose maps are the operator's own."""

ONE_OF = {
    "images.pullPolicy": ["Always", "IfNotPresent", "Never"],
    "serving.mode": ["kserve", "embedded"],
    "serving.pools.detectors.autoscaling": ["keda", "cpu", "none"],
    "serving.pools.generators.autoscaling": ["keda", "cpu", "none"],
}
PATTERNS = {
    "objectStore.url": "^s3://[^/]+",
    "objectStore.endpoint": "^https?://[^/]+$",
    "publicUrl": "^(https?://[^/]+)?$",
    "serving.keda.prometheus": "^(https?://.+)?$",
    "serving.keda.queueRatio": r"^[0-9]+(\.[0-9]+)?$",
    "images.triton": r"^.+(:[^:/]+|@sha256:[0-9a-f]{64})$",
    "trial.postgresql.image": r"^.+(:[^:/]+|@sha256:[0-9a-f]{64})$",
    "trial.s3.image": r"^.+(:[^:/]+|@sha256:[0-9a-f]{64})$",
}
"""What a text has to look like. An image without a tag would be another one tomorrow."""

ITEMS = {
    "tolerations": {"type": "object"},
    "parentRefs": {"type": "object"},
    "never": {"type": "string", "pattern": "^[0-9a-fA-F:.]+/[0-9]+$"},
}
_TYPES = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))


def schema_of(value: Any, path: str = "") -> dict[str, Any]:
    """The schema of a value whose default this is."""
    key = path.rpartition(".")[2]
    if isinstance(value, dict):
        if key in FREE:
            return {"type": "object"}
        children = {name: schema_of(of, f"{path}.{name}".lstrip(".")) for name, of in value.items()}
        return {"type": "object", "additionalProperties": False, "properties": children}
    if isinstance(value, list):
        return {"type": "array", "items": ITEMS.get(key, {"type": "string"})}
    if path in ONE_OF:
        return {"enum": ONE_OF[path]}
    if path in PATTERNS:
        return {"type": "string", "pattern": PATTERNS[path]}
    kind = next(name for type_, name in _TYPES if isinstance(value, type_))
    return {"type": kind, "minimum": 0} if kind == "integer" else {"type": kind}


def pools_apart(usual: dict[str, Any]) -> dict[str, Any]:
    """The schema of pools that have names and models of their own, and else the keys of a usual one."""
    uuid = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
    models = {"type": "array", "items": uuid, "minItems": 1, "uniqueItems": True}
    pool = {**usual, "properties": {"models": models, **usual["properties"]}, "required": ["models"]}
    names = {"pattern": "^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"}
    return {"type": "object", "propertyNames": names, "additionalProperties": pool}


def main() -> None:
    """`generate_schema.py values.yaml`: the schema to standard output."""
    values = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    schema = schema_of(values)
    serving = schema["properties"]["serving"]["properties"]
    serving["apart"] = pools_apart(serving["pools"]["properties"]["detectors"])
    # Helm's own: what a chart above this one hands down.
    schema["properties"]["global"] = {"type": "object"}
    print(json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "title": "VisionLab's values", **schema}, indent=2))


if __name__ == "__main__":
    main()
