"""Letting ultralytics run on CPU torch, offline.

PyPI's torchvision brings operators built for CUDA torch; on CPU torch they do not load, and importing it fails
because ``torchvision::nms`` is unknown.  The operators are declared here before the import, and non-maximum
suppression is ultralytics' own implementation.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_libraries: list[Any] = []  # torch forgets an operator when its Library object goes


def prepare_ultralytics(config_dir: Path) -> None:
    """Set ultralytics to offline with its settings in ``config_dir``; repair torchvision's nms.  Call before use."""
    config_dir.mkdir(parents=True, exist_ok=True)
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_CONFIG_DIR=str(config_dir))
    import torch

    if not _libraries:
        library = torch.library.Library("torchvision", "FRAGMENT")
        _libraries.append(library)
        if not hasattr(torch.ops.torchvision, "nms"):
            library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
    from PIL import Image
    from ultralytics.utils import SETTINGS
    from ultralytics.utils.nms import TorchNMS
    from ultralytics.utils.patches import _image_open

    torchvision.ops.nms = TorchNMS.nms
    Image.open = _image_open  # ultralytics' own one installs a package when a file is no picture
    if SETTINGS.get("sync"):
        SETTINGS.update(sync=False)
