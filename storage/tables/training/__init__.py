"""Training: exams, tours, drills."""

from storage.tables.training import drills, exams  # noqa: F401 - the schema is whole with them
