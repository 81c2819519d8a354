"""Resumable uploads (tus 1.0.0) for the phone, the desk, the outside door and drones."""
