"""ONVIF PTZ service (ver20/ptz): move a camera, list its stored views, go to one."""

from __future__ import annotations

from xml.sax.saxutils import escape

import msgspec

from ingest.gateways.onvif import Onvif, each_node, text_of

_TPTZ = "http://www.onvif.org/ver20/ptz/wsdl"
_TT = "http://www.onvif.org/ver10/schema"
MOST_PRESETS = 300


class Preset(msgspec.Struct, frozen=True):
    """A stored view; ``token`` names it to the camera."""

    token: str
    name: str


async def move(camera: Onvif, profile: str, pan: float, tilt: float, zoom: float = 0.0) -> None:
    """Begin a movement, −1 to 1 each (ContinuousMove); all 0 stops."""
    token = f"<ProfileToken>{escape(profile)}</ProfileToken>"
    if pan == tilt == zoom == 0:
        body = f'<Stop xmlns="{_TPTZ}">{token}<PanTilt>true</PanTilt><Zoom>true</Zoom></Stop>'
    else:
        x, y, z = (max(-1.0, min(1.0, v)) for v in (pan, tilt, zoom))
        body = (
            f'<ContinuousMove xmlns="{_TPTZ}">{token}<Velocity><PanTilt xmlns="{_TT}" x="{x:g}" y="{y:g}"/>'
            f'<Zoom xmlns="{_TT}" x="{z:g}"/></Velocity></ContinuousMove>'
        )
    await camera.call("PTZ", body)


async def presets(camera: Onvif, profile: str) -> list[Preset]:
    """The stored views, as the camera lists them."""
    body = f'<GetPresets xmlns="{_TPTZ}"><ProfileToken>{escape(profile)}</ProfileToken></GetPresets>'
    root = await camera.call("PTZ", body)
    found = [Preset(node.get("token", ""), text_of(node, "Name")) for node in each_node(root, "Preset")]
    return [preset for preset in found if preset.token][:MOST_PRESETS]


async def go_to(camera: Onvif, profile: str, preset: str) -> None:
    """Move to a stored view."""
    body = (
        f'<GotoPreset xmlns="{_TPTZ}"><ProfileToken>{escape(profile)}</ProfileToken>'
        f"<PresetToken>{escape(preset)}</PresetToken></GotoPreset>"
    )
    await camera.call("PTZ", body)
