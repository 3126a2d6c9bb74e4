"""Make `visionlab_client/answers.py` from the OpenAPI document.

    python client/generate_answers.py ui/openapi.json > client/src/visionlab_client/answers.py

Only what answers hold becomes types: what a request holds is said by the arguments of the client's methods. The document is
opened before the generator reads it, as a client must be more patient than a server: fields that it does not know are passed
over, and a word that it does not know (a new state of a model, say) stays a word, so that a newer server does not break it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_REFERENCE = "#/components/schemas/"
_CLOSED = frozenset({"FaceClass"})
"""Vocabularies that never grow: every probability vector has this order."""
_OF_THE_SERVER = frozenset(
    {"title", "examples", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
)
"""What answers are checked against on the server's side alone."""
_HEADER = '''"""What VisionLab answers, made from the OpenAPI document by `make generate`: change that, not this."""'''


def main() -> None:
    """Read the document named on the command line and print the module."""
    document = json.loads(Path(sys.argv[1]).read_text())
    schemas = document["components"]["schemas"]
    wanted = _reachable(_answers(document), schemas)
    opened = {name: schema if name in _CLOSED else _opened(schema) for name, schema in schemas.items() if name in wanted}
    command = [
        str(Path(sys.executable).parent / "datamodel-codegen"),
        "--input-file-type=openapi",
        "--output-model-type=pydantic_v2.BaseModel",
        "--target-python-version=3.11",
        "--strict-nullable",
        "--use-annotated",
        "--use-inline-field-description",
        "--use-field-description",
        "--use-schema-description",
        "--use-single-line-docstring",
        "--use-double-quotes",
        "--use-union-operator",
        "--use-standard-collections",
        "--collapse-root-models",
        "--disable-timestamp",
        f"--custom-file-header={_HEADER}",
        "--formatters",
        "ruff-check",
        "ruff-format",
    ]
    info = {"openapi": document["openapi"], "info": document["info"], "paths": {}, "components": {"schemas": opened}}
    done = subprocess.run(command, input=json.dumps(info), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(done.stderr)
    sys.stdout.write(done.stdout)


def _answers(document: dict[str, Any]) -> Iterator[Any]:
    for path in document["paths"].values():
        for operation in path.values():
            yield operation.get("responses", {})


def _reachable(start: Iterator[Any], schemas: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        for name in _named(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _named(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if str(schema.get("$ref", "")).startswith(_REFERENCE):
            yield schema["$ref"].removeprefix(_REFERENCE)
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _named(part)


def _opened(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_opened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    # A property may have the name of an annotation; then its value is a schema.
    kept = {key: value for key, value in schema.items() if key not in _OF_THE_SERVER or isinstance(value, dict)}
    if kept.get("additionalProperties") is False:
        del kept["additionalProperties"]
    if kept.get("type") == "string" and isinstance(kept.get("enum"), list):
        words = f"{', '.join(kept.pop('enum'))}, or a word of a newer server"
        kept["description"] = f"{kept['description']}: {words}" if "description" in kept else words
    return {key: _opened(value) for key, value in kept.items()}


if __name__ == "__main__":
    main()
