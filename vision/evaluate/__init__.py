"""Measuring detectors on YOLO-format sets and algorithms on clips."""
