"""Imports every package that needs system libraries; one clear line for each that fails."""

import importlib
import sys

NEEDS = {
    "cv2": "libglib2.0-0",
    "onnxruntime": "libgomp1",
    "av": "libc6",
    "shapely": "libstdc++6",
    "pyogrio": "libexpat1",
    "torch": "libgomp1",
    "psycopg": "libpq5",
}


def main() -> int:
    """Exit status 1 when any import fails."""
    failed = 0
    for name, package in NEEDS.items():
        try:
            importlib.import_module(name)
        except ImportError as error:
            failed = 1
            print(f"[setup] {name} cannot be loaded: {error}; on Debian: apt-get install {package}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
