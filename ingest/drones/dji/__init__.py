"""DJI Cloud API 1.x: telemetry, topology and events of remote controls and docks (standards/10 §1)."""
