"""Reading training specs from YAML or JSON files."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from visionlab_core.training_spec import DetectorTraining, GeneratorTraining, TrainingSpec


class SpecError(ValueError):
    """A spec that cannot be used; the message names the fields at fault."""


def read_spec(path: Path) -> DetectorTraining | GeneratorTraining:
    """Read a spec; `$NAME` in it stands for environment variables.

    Raises:
        SpecError: the file is missing, is not YAML or JSON, or a field is unknown, missing or out of range.
    """
    try:
        value = yaml.safe_load(os.path.expandvars(path.read_text(encoding="utf-8")))
        spec: DetectorTraining | GeneratorTraining = TypeAdapter(TrainingSpec).validate_python(value)
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise SpecError(f"{path} is not YAML or JSON: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SpecError(f"{path}: {faults}") from error
    return spec
