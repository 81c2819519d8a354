"""``/stac``: what drones brought, as a SpatioTemporal Asset Catalog (STAC 1.1.0, STAC API 1.0.0)."""
