"""Names of devices by their key ``domain-type-subtype``; an unknown key is accepted and shown as it is."""

from __future__ import annotations

from typing import Any

AIRCRAFT, PAYLOAD, REMOTE, DOCK = "0", "1", "2", "3"
NAMES = {
    "0-60-0": "Matrice 300 RTK", "0-67-0": "Matrice 30", "0-67-1": "Matrice 30T", "0-77-0": "Mavic 3E",
    "0-77-1": "Mavic 3T", "0-77-2": "Mavic 3M", "0-89-0": "Matrice 350 RTK", "0-91-0": "Matrice 3D",
    "0-91-1": "Matrice 3TD", "0-99-0": "Matrice 4E", "0-99-1": "Matrice 4T", "0-100-0": "Matrice 4D",
    "0-100-1": "Matrice 4TD", "2-56-0": "DJI Smart Controller Enterprise", "2-119-0": "DJI RC Plus",
    "2-144-0": "DJI RC Pro Enterprise", "2-174-0": "DJI RC Plus 2", "3-1-0": "DJI Dock", "3-2-0": "DJI Dock 2",
    "3-3-0": "DJI Dock 3",
}  # fmt: skip
_REMOTES = frozenset({56, 119, 144, 174})
_DOCKS = frozenset({1, 2, 3})


def whole(value: Any) -> int | None:
    """An integer, also from text and 77.0; None for anything else."""
    try:
        return int(float(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def model_key(device: dict[str, Any], *, gateway: bool) -> str:
    """``domain-type-subtype``; older firmware leaves the domain out, one sample gives a remote control a dock's."""
    kind, sub = whole(device.get("type")), whole(device.get("sub_type")) or 0
    domain = str(device.get("domain", "")).strip()
    if not domain:
        domain = AIRCRAFT if not gateway else DOCK if kind in _DOCKS else REMOTE
    if domain == DOCK and kind in _REMOTES:
        domain = REMOTE
    return f"{domain}-{kind if kind is not None else '?'}-{sub}"


def name(key: str) -> str:
    """The device's name, or its key while nobody knows it."""
    return NAMES.get(key, key)
