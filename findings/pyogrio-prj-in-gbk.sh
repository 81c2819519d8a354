#!/bin/sh
# pyogrio 0.13.0: a Shapefile whose .prj holds a name in GBK (Chinese desktop programs write it so) cannot be read at all.
# One would guess: read_info() answers crs None with a warning, as its code means to, or the text read by the .cpg.
# Seen: UnboundLocalError "local variable 'wkt' referenced before assignment": GDAL cannot write the system out as text, the
# handler only warns, and the next line uses what was never set. With the same .prj in UTF-8 all is well.
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" install -q pyogrio==0.13.0 shapely==2.2.0 numpy==2.4.6
cd "$dir" && "$dir/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import pyogrio
import shapely

warnings.simplefilter("ignore")
SYSTEM = (
    'GEOGCS["2000国家大地坐标系",DATUM["国家大地坐标系",SPHEROID["CGCS2000",6378137.0,298.257222101]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
shape = np.array([shapely.to_wkb(shapely.box(125.4, 43.88, 125.41, 43.89))], dtype=object)
pyogrio.raw.write("a.shp", shape, [np.array(["a"], dtype=object)], ["code"], geometry_type="Polygon", crs="EPSG:4326")
with open("a.prj", "wb") as file:
    file.write(SYSTEM.encode("utf-8"))
print("pyogrio 0.13.0; .prj in UTF-8:", pyogrio.read_info("a.shp")["crs"][:30])
with open("a.prj", "wb") as file:
    file.write(SYSTEM.encode("gbk"))
try:
    found = pyogrio.read_info("a.shp")["crs"]
except UnboundLocalError as error:
    print(".prj in GBK: UnboundLocalError:", error)
else:
    raise SystemExit(f"it is read now: {found}")
PY
