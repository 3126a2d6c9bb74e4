"""Reading training specs from YAML or JSON files."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from visionlab_core.training_spec import DetectorTraining, EnsembleTraining, GeneratorTraining, TrainingSpec

_SPEC: TypeAdapter[Any] = TypeAdapter(TrainingSpec)
_KINDS = {"detector": DetectorTraining, "ensemble": EnsembleTraining, "generator": GeneratorTraining}


class SpecError(ValueError):
    """A spec that cannot be used; the message names the fields at fault."""


def read_spec(path: Path) -> DetectorTraining | EnsembleTraining | GeneratorTraining:
    """Read a spec; `$NAME` in it stands for environment variables.

    Raises:
        SpecError: the file is missing, is not YAML or JSON, or a field is unknown (the nearest known one is named), missing or
            out of range.
    """
    try:
        text = os.path.expandvars(path.read_text(encoding="utf-8"))
        if unset := sorted(set(re.findall(r"\$\{?(VISIONLAB_\w+)", text))):
            raise SpecError(f"{path} needs the environment variable {', '.join(unset)}, which is not set.")
        value = yaml.safe_load(text)
        spec: DetectorTraining | EnsembleTraining | GeneratorTraining = _SPEC.validate_python(value)
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    except yaml.YAMLError as error:
        raise SpecError(f"{path} is not YAML or JSON: {error}") from error
    except ValidationError as error:
        raise SpecError(f"{path}: {'; '.join(map(_fault, error.errors()))}") from error
    return spec


def _fault(error: ErrorDetails) -> str:
    place = [str(part) for part in error["loc"] if part not in _KINDS]
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], _field_names(), n=1, cutoff=0.6)
        message = f"there is no such field; did you mean {near[0]}?" if near else "there is no such field."
    return f"{'.'.join(place)}: {message}" if place else message


def _field_names() -> set[str]:
    names: set[str] = set()
    waiting: list[Any] = list(_KINDS.values())
    while waiting:
        for name, field in waiting.pop().model_fields.items():
            names.add(name)
            parts = (field.annotation, *get_args(field.annotation))
            waiting += [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    return names
