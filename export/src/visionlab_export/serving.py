"""The served graph: a Keras model with everything around it that a client could get wrong.

Detectors take pixels as they are in an image file; resizing, scaling and calibration are inside. Generators give pixels as they
go into an image file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import ModelKind, TensorSpec
from visionlab_export.errors import ExportError

SERVED_SIDE: Final = 224
"""Side in pixels of the images that every detector takes, whatever the resolution at which it works."""

_IMAGE: Final = (TensorSpec(name="image", dtype="uint8", shape=(SERVED_SIDE, SERVED_SIDE, 3)),)
_PROBABILITIES: Final = TensorSpec(name="probabilities", dtype="float32", shape=(len(FACE_CLASSES),))

Tensors = Mapping[str, NDArray[Any]]
Runner = Callable[[Tensors], Tensors]


@dataclass(frozen=True, slots=True)
class ServedGraph:
    """What is exported.

    `function` is a `tf.function` that takes the inputs, in this order, and gives a dictionary of the outputs. `reference`
    computes the same from the Keras model alone, with NumPy around it, so that the gate can find a mistake in `function`.
    """

    kind: ModelKind
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    function: Any
    variables: tuple[Any, ...]
    reference: Runner


def served_graph(model: Any, kind: ModelKind, *, temperature: float = 1.0) -> ServedGraph:
    """The served graph of a detector or a generator; see `served_detector` and `served_generator`.

    Raises:
        ExportError: the model does not have the inputs and outputs of its kind.
    """
    if kind == "detector":
        return served_detector(model, temperature=temperature)
    return served_generator(model)


def served_detector(model: Any, *, temperature: float = 1.0) -> ServedGraph:
    """From a Keras model (pixels 0 ... 255, float32 [N, S, S, 3] -> softmax probabilities [N, 4]) to the graph that is served.

    Input: `image` uint8 [N, 224, 224, 3], resized bilinearly inside the graph where S is not 224. Outputs: `probabilities`
    float32 [N, 4], whose logits are divided by `temperature` (Guo et al., 2017, arXiv:1706.04599), and, where the network ends
    in global average pooling and one Dense layer, `activation_map` float32 [N, h, w, 4]: what each place of the last feature
    map adds to the logit of each class (class activation mapping, Zhou et al., 2016, arXiv:1512.04150). The mean over places
    plus the bias of the Dense layer is the logits, before the temperature.

    A vote (a model that ends in an Average of probabilities) has no activation map, and the logarithms of its probabilities are
    its logits.

    Raises:
        ExportError: other input or output shapes, or neither a Dense softmax layer nor an Average at the end.
    """
    _require_tensorflow()
    side = _detector_side(model)
    if isinstance(model.outputs[0]._keras_history.operation, keras.layers.Average):
        return _served_vote(model, side, temperature)
    head = _softmax_head(model)
    pooled_from = _pooled_feature_map(head)
    feature_maps = [] if pooled_from is None else [pooled_from]
    body = keras.Model(model.inputs, [head.input, *feature_maps])
    whole = keras.Model(model.inputs, [*model.outputs, *feature_maps])

    def outputs_of(image: Any) -> dict[str, Any]:
        pixels = _resized(image, side)
        # One output comes as it is, two come in a list.
        below_head, *maps = tf.nest.flatten(body([pixels], training=False))
        kernel = tf.convert_to_tensor(head.kernel)
        logits = tf.matmul(below_head, kernel) + tf.convert_to_tensor(head.bias)
        served = {"probabilities": tf.nn.softmax(logits / temperature if temperature != 1.0 else logits)}
        if maps:
            # A product with the map as it is: a 1 x 1 convolution would cost two more transposes in the ONNX graph.
            served["activation_map"] = tf.matmul(maps[0], kernel)
        return served

    def reference(tensors: Tensors) -> Tensors:
        pixels = _reference_resized(tensors["image"], side)
        probabilities, *maps = (np.asarray(tensor) for tensor in tf.nest.flatten(whole([pixels], training=False)))
        found = {"probabilities": _tempered(probabilities, temperature)}
        if maps:
            found["activation_map"] = maps[0] @ np.asarray(head.kernel)
        return found

    outputs = [_PROBABILITIES]
    if pooled_from is not None:
        rows, columns = pooled_from.shape[1:3]
        outputs.append(TensorSpec(name="activation_map", dtype="float32", shape=(rows, columns, len(FACE_CLASSES))))
    return ServedGraph("detector", _IMAGE, tuple(outputs), _traceable(outputs_of, _IMAGE), _variables(model), reference)


def _served_vote(model: Any, side: int, temperature: float) -> ServedGraph:
    def outputs_of(image: Any) -> dict[str, Any]:
        probabilities = model(_resized(image, side), training=False)
        if temperature != 1.0:
            probabilities = tf.nn.softmax(tf.math.log(tf.maximum(probabilities, 1e-12)) / temperature)
        return {"probabilities": probabilities}

    def reference(tensors: Tensors) -> Tensors:
        probabilities = np.asarray(model(_reference_resized(tensors["image"], side), training=False))
        return {"probabilities": _tempered(probabilities, temperature)}

    return ServedGraph("detector", _IMAGE, (_PROBABILITIES,), _traceable(outputs_of, _IMAGE), _variables(model), reference)


def served_generator(model: Any) -> ServedGraph:
    """From a Keras model to the graph that is served: noise in, picture out.

    The model takes noise float32 [N, L], uniform in -1 ... 1, and gives pictures -1 ... 1, float32 [N, H, W, 3]; the noise is
    multiplied by the truncation: below 1 it is drawn towards its mean. A StyleGAN2, which truncates inside and mixes the styles
    of two latents, takes the four inputs itself.

    Inputs: `latent` float32 [N, L] and `truncation` float32 [N, 1]; of a StyleGAN2 also `style` float32 [N, L] and `crossover`
    float32 [N, 1], the part of the layers that has its styles from `latent`. Output: `image` uint8 [N, H, W, 3],
    (picture + 1) * 127.5 rounded half to even and clipped to 0 ... 255.

    Raises:
        ExportError: other inputs or outputs, or other shapes.
    """
    _require_tensorflow()
    if len(model.inputs) not in (1, 4) or len(model.outputs) != 1:
        raise ExportError(
            "A generator has one input (the noise) or four (noise, truncation, noise of the style that is mixed in, crossover), "
            "and one output (the picture)."
        )
    taken, *others = (tuple(tensor.shape[1:]) for tensor in model.inputs)
    given = tuple(model.outputs[0].shape[1:])
    if len(taken) != 1 or len(given) != 3 or given[2] != 3 or None in taken + given:
        raise ExportError(f"A generator goes from [N, L] to [N, H, W, 3]; this one from {['N', *taken]} to {['N', *given]}.")
    if others not in ([], [(1,), taken, (1,)]):
        raise ExportError(
            f"A generator's other inputs are truncation ['N', 1], style {['N', *taken]} and crossover ['N', 1]; "
            f"those of this one are {', '.join(str(['N', *shape]) for shape in others)}."
        )

    def picture_of(latent: Any, truncation: Any, *mixed_in: Any) -> Any:
        return model([latent, truncation, *mixed_in] if others else latent * truncation, training=False)

    def outputs_of(*tensors: Any) -> dict[str, Any]:
        picture = picture_of(*tensors)
        return {"image": tf.cast(tf.clip_by_value(tf.round((picture + 1.0) * 127.5), 0.0, 255.0), tf.uint8)}

    def reference(tensors: Tensors) -> Tensors:
        picture = np.asarray(picture_of(*(tensors[spec.name] for spec in inputs)))
        return {"image": np.clip(np.rint((picture + np.float32(1)) * np.float32(127.5)), 0, 255).astype(np.uint8)}

    shapes = {"latent": taken, "truncation": (1,)} | ({"style": taken, "crossover": (1,)} if others else {})
    inputs = tuple(TensorSpec(name=name, dtype="float32", shape=shape) for name, shape in shapes.items())
    outputs = (TensorSpec(name="image", dtype="uint8", shape=given),)
    return ServedGraph("generator", inputs, outputs, _traceable(outputs_of, inputs), _variables(model), reference)


def _require_tensorflow() -> None:
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            f"The export needs Keras on TensorFlow, and this process runs it on {keras.backend.backend()}: start another process "
            "with KERAS_BACKEND=tensorflow and load the model there."
        )


def _resized(image: Any, side: int) -> Any:
    pixels = tf.cast(image, tf.float32)
    return pixels if side == SERVED_SIDE else tf.image.resize(pixels, (side, side), method="bilinear", antialias=False)


def _reference_resized(image: NDArray[Any], side: int) -> Any:
    pixels = image.astype(np.float32)
    if side == SERVED_SIDE:
        return pixels
    return keras.ops.image.resize(pixels, (side, side), interpolation="bilinear", antialias=False)


def _detector_side(model: Any) -> int:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ExportError("A detector has one input (the pixels) and one output (the probabilities).")
    taken, given = tuple(model.input_shape[1:]), tuple(model.output_shape[1:])
    if len(taken) != 3 or taken[0] != taken[1] or taken[0] is None or taken[2] != 3:
        raise ExportError(f"A detector takes [N, S, S, 3] with a fixed side S; this one takes {['N', *taken]}.")
    if given != (len(FACE_CLASSES),):
        raise ExportError(f"A detector gives [N, {len(FACE_CLASSES)}], one probability a face class; this one {['N', *given]}.")
    return int(taken[0])


def _softmax_head(model: Any) -> Any:
    head = model.outputs[0]._keras_history.operation
    if not isinstance(head, keras.layers.Dense) or head.activation is not keras.activations.softmax or not head.use_bias:
        raise ExportError(
            f"A detector ends in a Dense layer with a bias and softmax; this one ends in {type(head).__name__} ({head.name})."
        )
    return head


def _pooled_feature_map(head: Any) -> Any | None:
    """The feature map [N, h, w, C] whose mean over places the head sees; None where there is something else in front of it."""
    below = head.input._keras_history.operation
    while isinstance(below, keras.layers.Dropout):  # the identity in a served graph
        below = below.input._keras_history.operation
    is_pooling = isinstance(below, keras.layers.GlobalAveragePooling2D) and below.data_format == "channels_last"
    return below.input if is_pooling and not below.keepdims else None


def _tempered(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float32]:
    """softmax(logits / temperature) from softmax(logits): the logarithm differs from the logits by a constant only."""
    if temperature == 1.0:
        return probabilities.astype(np.float32)
    with np.errstate(divide="ignore"):
        scaled = np.log(probabilities.astype(np.float64)) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    tempered: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return tempered


def _traceable(function: Callable[..., dict[str, Any]], inputs: tuple[TensorSpec, ...]) -> Any:
    signature = [tf.TensorSpec([None, *spec.shape], spec.dtype, name=spec.name) for spec in inputs]
    return tf.function(function, input_signature=signature, autograph=False)


def _variables(model: Any) -> tuple[Any, ...]:
    return tuple(variable.value for variable in model.variables)
