#!/bin/bash
# Dash 4.4.1 on its FastAPI backend (fastapi 0.165.0), debug off: a callback that raises is answered 500 with a general
# sentence, and the exception is written to no log.
#
# What one would guess: the exception reaches the server, as that of a plain route of the same application does, and so
# its log.
# What is seen: status 500, {"error": "InternalServerError", ...}; it ends inside Dash, no logger and no standard error
# names it.
#
# Needs: python3 with venv.  Fails when the behaviour changes.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install 'dash[fastapi]==4.4.1' fastapi==0.165.0 httpx==0.28.1
cat > "$work/try.py" <<'PY'
import contextlib, io, logging, sys, warnings

warnings.simplefilter("ignore")
logged = io.StringIO()
logging.basicConfig(stream=logged, level=logging.DEBUG, force=True)
from dash import Dash, Input, Output, html
from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()

@app.get("/plain")
def plain():
    raise RuntimeError("the figure that nobody sees")

dash = Dash(__name__, server=app)
dash.layout = html.Div([html.Button(id="press"), html.Div(id="shown")])

@dash.callback(Output("shown", "children"), Input("press", "n_clicks"))
def fails(_clicks):
    raise RuntimeError("the figure that nobody sees")

said = io.StringIO()
with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said), TestClient(app) as client:
    try:
        client.get("/plain")
        reaches = False
    except RuntimeError:
        reaches = True
    answer = client.post("/_dash-update-component", json={
        "output": "shown.children", "outputs": {"id": "shown", "property": "children"},
        "inputs": [{"id": "press", "property": "n_clicks", "value": 1}], "changedPropIds": ["press.n_clicks"],
    })
told = logged.getvalue() + said.getvalue()
print("status", answer.status_code, "body", answer.text, "| log names the error:", "nobody sees" in told,
      "| a plain route's error reaches the server:", reaches)
sys.exit(0 if answer.status_code == 500 and reaches and "nobody sees" not in told + answer.text else 1)
PY
"$work/venv/bin/python" "$work/try.py"
echo "as stated: the error is answered in general words and logged nowhere"
