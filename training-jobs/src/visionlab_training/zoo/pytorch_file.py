"""Reading PyTorch's weights files without PyTorch, and without running anything that is in them."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8"), "HalfStorage": np.dtype("<f2")}
_MAGIC = 0x1950A86A20F9469CFC6C


def read_pytorch(path: str | Path) -> dict[str, NDArray[Any]]:
    """The tensors of a state dictionary in the format of PyTorch before 1.6 (a row of pickles, then the storages).

    Only what a dictionary of tensors needs can be unpickled: a file that names anything else is refused.

    Raises:
        ValueError: the file is of another format, is damaged, or names anything but tensors.
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as handle:
        try:
            if _Tensors(handle).load() != _MAGIC:
                raise ValueError("another format")
            _Tensors(handle).load()  # protocol version
            _Tensors(handle).load()  # sizes of C types
            tensors: dict[str, _Tensor] = dict(_Tensors(handle).load())
            storages = {}
            dtypes = {tensor.storage: tensor.dtype for tensor in tensors.values()}
            for key in _Tensors(handle).load():
                count = int.from_bytes(handle.read(8), "little")
                storages[key] = np.frombuffer(handle.read(count * dtypes[key].itemsize), dtypes[key], count)
            return {name: tensor.array(storages) for name, tensor in tensors.items()}
        except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path} is not a PyTorch file of weights that can be read: {error}") from error


class _Tensor:
    def __init__(self, storage: tuple[Any, ...], offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> None:
        self.dtype, self.storage = storage[1], storage[2]
        self._offset, self._shape, self._stride = offset, shape, stride

    def array(self, storages: dict[str, NDArray[Any]]) -> NDArray[Any]:
        flat = storages[self.storage]
        last = self._offset + sum((size - 1) * step for size, step in zip(self._shape, self._stride, strict=True))
        if min(self._shape, default=1) < 1 or min((self._offset, *self._stride)) < 0 or last >= flat.size:
            raise ValueError("a tensor does not lie in its storage")
        steps = [step * flat.itemsize for step in self._stride]
        return np.lib.stride_tricks.as_strided(flat[self._offset :], self._shape, steps).copy()


class _Tensors(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        return pid
