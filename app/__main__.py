"""``python -m app``."""

import gc
import sys

gc.disable()  # nothing is garbage yet; looking for it takes a quarter of the time that a start takes
from app.cli import main  # noqa: E402

sys.exit(main())
