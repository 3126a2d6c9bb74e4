"""What a person has to say of a model before it can be published; the rest of its card is measured."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from visionlab_training.spec_file import SpecError


class Publication(BaseModel):
    """Who the model is, on what terms, and what it learnt from, in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uuid: UUID
    name: str
    label: str
    version: int
    description: str
    licence: str
    limitations: tuple[str, ...] = ()
    enabled_by_default: bool = True
    started_from: str = "random"
    data: str
    feature_weights: Path | None = None
    detectors: tuple[Path, ...] = ()
    """Generators: folders of exported detectors, which are asked what they make of its faces."""


def read_publication(path: Path) -> Publication:
    """Read a publication from YAML; `$NAME` in it stands for environment variables.

    Raises:
        SpecError: the file cannot be read or a field is at fault.
    """
    try:
        return Publication.model_validate(yaml.safe_load(os.path.expandvars(path.read_text(encoding="utf-8"))))
    except (OSError, yaml.YAMLError) as error:
        raise SpecError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SpecError(f"{path}: {faults}") from error
