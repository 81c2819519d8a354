#!/bin/bash
# ultralytics-opencv-headless 8.4.190 with Pillow 13.0.0: after the import, PIL.Image.open of the whole process is
# ultralytics' own function; for bytes that are no picture it wants the package pi-heif and raises ModuleNotFoundError
# where Pillow raises UnidentifiedImageError.
#
# What one would guess: importing a detection library leaves Pillow's functions as they are, and code elsewhere in the
# process that catches UnidentifiedImageError goes on to work.
# What is seen: Image.open comes from ultralytics.utils.patches; the handler for UnidentifiedImageError is passed by.
# (With automatic installation left on, the package would be installed at that moment; it is off here.)
#
# Needs: python3 with venv.  Fails when the behaviour changes.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install torch==2.13.0 numpy==2.4.2 pillow==13.0.0
"$work/venv/bin/pip" -q install ultralytics-opencv-headless==8.4.190
cat > "$work/try.py" <<'PY'
import io, sys
from importlib.metadata import version
from PIL import Image, UnidentifiedImageError

def asked():
    try:
        Image.open(io.BytesIO(b"a text, no picture"))
    except Exception as error:
        return type(error).__name__

before = asked()
import ultralytics
from ultralytics.utils import patches  # noqa: F401
after = asked()
print("ultralytics", version("ultralytics-opencv-headless"), "Pillow", version("pillow"))
print("Image.open is from", Image.open.__module__, "| before the import:", before, "| after:", after)
sys.exit(0 if before == "UnidentifiedImageError" and after == "ModuleNotFoundError"
         and Image.open.__module__ == "ultralytics.utils.patches" else 1)
PY
YOLO_AUTOINSTALL=false YOLO_OFFLINE=true YOLO_CONFIG_DIR="$work" "$work/venv/bin/python" "$work/try.py"
echo "as stated: the process-wide Image.open is ultralytics' and raises another error"
