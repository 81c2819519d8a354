"""Training our own detectors from YOLO-format sets, offline, with a recorded seed and data manifest."""
