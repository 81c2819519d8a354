"""The city map: our own Dash component on maplibre-gl (``static/ui/map/map.mjs``)."""

from __future__ import annotations

from dashboard.components import _Own


class CityMap(_Own):
    """The 3D map: buildings, roads, divisions, clustered cameras, sites, live cases.

    ``view`` (``[lon, lat, zoom, bearing, pitch]``) is where it starts when the address has no ``#m=``.
    ``picked`` is reported back: ``{"type": "case|site|camera|building", "id": …}``.
    The camera is never reset by live updates.
    """

    _type = "CityMap"
    _prop_names = ["id", "view", "picked"]
    available_properties = _prop_names
