"""Tiles of live pictures, tours that go from camera to camera, and the log of who looked."""
