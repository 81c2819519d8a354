"""What a checkpoint's pickle asks for, read without running any of it.

A ``.pt`` is a pickle, and a pickle may name any function of any module to be called while it is loaded.  Here it is
read with stand-ins for everything that it names; a name that a detection network does not need is told and the file is
refused before ultralytics sees it.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

from vision.errors import ModelInvalid

LAYERS = ("torch.nn.modules.", "ultralytics.nn.", "models.")  # classes of layers and graphs; models.* is YOLOv5's
LARGEST = 64 << 20  # of the pickle itself; the weights lie beside it
NAMES = {
    "collections": {"OrderedDict", "defaultdict", "deque"},
    "builtins": {"set", "frozenset", "dict", "list", "tuple", "slice", "int", "float", "bool", "complex", "bytearray",
                 "range", "object"},
    "torch": {"Size", "device", "dtype", "Tensor", "float16", "float32", "float64", "bfloat16", "int8", "int32",
              "int64", "uint8", "bool", "FloatStorage", "HalfStorage", "DoubleStorage", "BFloat16Storage",
              "LongStorage", "IntStorage", "ByteStorage", "BoolStorage"},
    "torch._utils": {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_parameter_with_state"},
    "torch.storage": {"UntypedStorage", "TypedStorage"},
    "torch.serialization": {"_get_layout"},
    "torch.torch_version": {"TorchVersion"},
    "numpy": {"dtype", "ndarray"},
    "numpy.core.multiarray": {"scalar", "_reconstruct"},
    "numpy._core.multiarray": {"scalar", "_reconstruct"},
    "numpy.dtypes": {"Float64DType", "Float32DType", "Int64DType"},
    "_codecs": {"encode"},
    "copyreg": {"_reconstructor"},
    "datetime": {"datetime", "date", "timezone", "timedelta"},
    "pathlib": {"Path", "PosixPath", "WindowsPath", "PurePosixPath"},
    "types": {"SimpleNamespace"},
    "ultralytics.utils": {"IterableSimpleNamespace", "SimpleClass"},
    "ultralytics.utils.loss": {"v8DetectionLoss", "BboxLoss", "DFLoss", "E2ELoss"},
    "ultralytics.utils.tal": {"TaskAlignedAssigner"},
}  # fmt: skip
NAMES["__builtin__"] = NAMES["builtins"]


class ForeignName(Exception):
    """``module.name`` of a pickle is nothing that a detection network needs."""


class _Standin:
    """Stands for whatever a pickle names; takes everything and does nothing."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __call__(self, *_: object, **__: object) -> _Standin:
        return _Standin()

    def __setitem__(self, _key: object, _value: object) -> None: ...

    def __setstate__(self, _state: object) -> None: ...

    def append(self, _value: object) -> None: ...

    def extend(self, _values: object) -> None: ...

    def add(self, _value: object) -> None: ...

    def __hash__(self) -> int:
        return id(self)


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        layer = module.startswith(LAYERS) and name[:1].isupper() and name.isidentifier()
        if not layer and name not in NAMES.get(module, ()):
            raise ForeignName(f"{module}.{name}")
        return type("_Named", (_Standin,), {})

    def persistent_load(self, pid: object) -> Any:
        return _Standin()


def check_pickle(path: Path) -> None:
    """Read a checkpoint's pickles.

    Raises:
        ModelInvalid: one names something foreign, is too large, or is none.
    """
    try:
        for stream in _streams(path):
            _Reader(stream).load()
    except ForeignName as error:
        detail = f"its pickle asks for {error}, which no detection network needs: it is not loaded"
        raise ModelInvalid(path=str(path), detail=detail) from error
    except Exception as error:  # noqa: BLE001 — a pickle that is none raises anything
        words = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelInvalid(path=str(path), detail=f"its pickle cannot be read: {words}") from error


def _streams(path: Path) -> list[io.BytesIO]:
    """The pickles of a checkpoint: those in its archive, or the file itself (torch before 1.6: five in a row, of which
    the magic number, the version and the sizes come first)."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            inside = [info for info in archive.infolist() if info.filename.endswith(".pkl")]
            if not inside or max(info.file_size for info in inside) > LARGEST:
                raise ValueError("no pickle of at most 64 MiB in the archive")
            return [io.BytesIO(archive.read(info)) for info in inside]
    whole = io.BytesIO(path.read_bytes())
    return [whole] * 4 if _is_old(whole) else [whole]


def _is_old(stream: io.BytesIO) -> bool:
    try:
        old = _Reader(stream).load() == 0x1950A86A20F9469CFC6C
    finally:
        stream.seek(0)
    return bool(old)
