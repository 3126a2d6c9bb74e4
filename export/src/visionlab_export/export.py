"""One call from a Keras model to a version folder that any of our servers loads."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from visionlab_core.model_card import FileDigest, Metrics, ModelCard
from visionlab_export.card_draft import CardDraft
from visionlab_export.errors import ExportError
from visionlab_export.onnx_file import onnx_runner, to_onnx, write_onnx
from visionlab_export.parity import BATCH_SIZES, ParityReport, check_parity
from visionlab_export.saved_model import saved_model_runner, write_saved_model
from visionlab_export.serving import ServedGraph, Tensors, served_graph
from visionlab_export.weights import round_kernels, save_weights
from visionlab_export.whole_folder import appearing_whole
from visionlab_inference.repository import CONFIG_FILE, DEFAULT_BATCHING, MODEL_FILE, DynamicBatching, model_config, write_config

CARD_FILE: Final = "card.json"
SAVED_MODEL_FOLDER: Final = "saved_model"
WEIGHTS_FILE: Final = "weights.npz"

GENERATOR_EXAMPLES: Final = 2 * max(BATCH_SIZES)
_GENERATOR_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Export:
    """A finished export: the card, the version's folder, and what the parity gate saw."""

    card: ModelCard
    folder: Path
    parity: ParityReport


def export_model(
    model: Any,
    draft: CardDraft,
    out: Path,
    *,
    images: NDArray[np.uint8] | None = None,
    batching: DynamicBatching = DEFAULT_BATCHING,
    measure: Callable[[Path, ModelCard], Mapping[str, Metrics]] | None = None,
    keep_saved_model: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Export:
    """Write `<out>/<uuid>/<version>/{model.onnx, config.pbtxt, saved_model/, weights.npz, card.json}`: all of it, or nothing.

    The folder gets its name only when the parity gate has passed and every byte is on the disk; see `appearing_whole`.

    Args:
        model: a Keras model on TensorFlow, as `visionlab_export.serving` describes for its kind. Its kernels are rounded to what
            half precision holds, in place, so that `weights.npz` is the exported model exactly.
        draft: what only the caller knows.
        out: the folder that holds all models.
        images: detectors only: 8 or more real images, uint8 [M, 224, 224, 3], through which the gate compares the runtimes.
        batching: how Triton is to gather requests.
        measure: called with the path of the finished `model.onnx` and the card as far as it is known; the metrics by split that
            it gives go into the card. Files that it writes beside it are part of the version.
        keep_saved_model: False leaves `saved_model/` out, once the gate has seen it; `weights.npz` holds the same weights in half
            the space.
        progress: called with a sentence at each step.

    Raises:
        ExportError: the model, the images or the folder do not fit; the version is there already.
        ParityError: Keras, SavedModel and ONNX Runtime disagree.
    """
    final = out / str(draft.uuid) / str(draft.version)
    with appearing_whole(final) as folder:
        graph = served_graph(model, draft.kind, temperature=draft.temperature)
        examples = _examples(graph, images)
        round_kernels(model)
        progress("Writing the SavedModel")
        write_saved_model(graph, folder / SAVED_MODEL_FOLDER)
        progress("Converting to ONNX")
        write_onnx(to_onnx(graph), folder / MODEL_FILE)
        progress(f"Comparing Keras, SavedModel and ONNX Runtime at batch sizes {', '.join(map(str, BATCH_SIZES))}")
        runners = {
            "Keras": graph.reference,
            "SavedModel": saved_model_runner(folder / SAVED_MODEL_FOLDER),
            "ONNX Runtime": onnx_runner(folder / MODEL_FILE),
        }
        parity = check_parity(runners, graph.outputs, examples)
        if not keep_saved_model:
            shutil.rmtree(folder / SAVED_MODEL_FOLDER)
        save_weights(model, folder / WEIGHTS_FILE, own_only=draft.ensemble)
        complete = partial(draft.card, inputs=graph.inputs, outputs=graph.outputs, parameters=int(model.count_params()))
        # The configuration is made from the card, and the card has the configuration's digest: so from a card without it first.
        unfinished = complete(files={MODEL_FILE: _digest(folder / MODEL_FILE)}, metrics={})
        write_config(folder / CONFIG_FILE, model_config(unfinished, batching=batching))
        metrics = dict(measure(folder / MODEL_FILE, unfinished)) if measure else {}
        files = {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        card = complete(files=files, metrics=metrics)
        (folder / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
        progress("Putting the version in its place")
    return Export(card, final, parity)


def _examples(graph: ServedGraph, images: NDArray[np.uint8] | None) -> Tensors:
    if graph.kind == "detector":
        if images is None:
            raise ExportError("The parity gate of a detector needs images.")
        shape = graph.inputs[0].shape
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise ExportError(
                f"The images must be uint8 [M, {', '.join(map(str, shape))}], not {images.dtype} {list(images.shape)}."
            )
        return {"image": images}
    if images is not None:
        raise ExportError("A generator is compared on noise; it takes no images.")
    random = np.random.default_rng(_GENERATOR_SEED)
    lowest = {"truncation": 0.5, "crossover": 0.0}
    return {
        spec.name: random.uniform(lowest.get(spec.name, -1), 1, (GENERATOR_EXAMPLES, *spec.shape)).astype(np.float32)
        for spec in graph.inputs
    }


def _digest(path: Path) -> FileDigest:
    with path.open("rb") as handle:
        return FileDigest(sha256=hashlib.file_digest(handle, "sha256").hexdigest(), size=path.stat().st_size)
