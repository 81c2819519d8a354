"""The style sheets of the wall and the desk, in their order."""

STYLES = (
    "/static/vendor/maplibre/maplibre-gl.css",
    *(f"/static/css/{name}.css" for name in ("tokens", "base", "command", "map", "desk", "boards", "video", "work")),
)
