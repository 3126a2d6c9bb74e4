"""What a generated image is made of, as the API tells it, as its row keeps it, and as a generator takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from visionlab_api import schemas
from visionlab_api.database.tables import ImageRow
from visionlab_inference.seeds import Latent, Step, Style


@dataclass(frozen=True, slots=True)
class Recipe:
    """With the version of a generator, all that makes a picture."""

    latent: Latent
    truncation: float = 1.0
    style: Style | None = None


def recipe_of(row: ImageRow) -> Recipe:
    """Of the row of a generated image."""
    assert row.seed is not None
    more = row.recipe or {}
    style = more.get("style")
    return Recipe(
        Latent(row.seed, _steps(more.get("steps", []))),
        row.truncation if row.truncation is not None else 1.0,
        style and Style(Latent(style["seed"], _steps(style["steps"])), style["crossover"]),
    )


def kept(recipe: Recipe) -> dict[str, Any] | None:
    """What the column `recipe` keeps of it: nothing where seed and truncation say all."""
    style = recipe.style
    if not recipe.latent.steps and style is None:
        return None
    found: dict[str, Any] = {"steps": _listed(recipe.latent.steps)}
    if style is not None:
        found["style"] = {"seed": style.latent.seed, "steps": _listed(style.latent.steps), "crossover": style.crossover}
    return found


def asked_steps(steps: list[schemas.LatentStep]) -> tuple[Step, ...]:
    """Of a request."""
    return tuple(Step(step.seed, step.distance) for step in steps)


def asked_style(style: schemas.MixedStyle | None) -> Style | None:
    """Of a request."""
    return Style(Latent(style.seed, asked_steps(style.steps)), style.crossover) if style else None


def told_steps(steps: tuple[Step, ...]) -> list[schemas.LatentStep]:
    """For an answer."""
    return [schemas.LatentStep(seed=step.seed, distance=step.distance) for step in steps]


def told_style(style: Style | None) -> schemas.MixedStyle | None:
    """For an answer."""
    if style is None:
        return None
    return schemas.MixedStyle(seed=style.latent.seed, steps=told_steps(style.latent.steps), crossover=style.crossover)


def _steps(kept_steps: list[list[Any]]) -> tuple[Step, ...]:
    return tuple(Step(seed, distance) for seed, distance in kept_steps)


def _listed(steps: tuple[Step, ...]) -> list[list[Any]]:
    return [[step.seed, step.distance] for step in steps]
