"""Exams of the staff as data: bank, drawing, score.  Guided tours and drills stand in ``dashboard/training``."""
