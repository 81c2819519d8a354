"""A throw-away instance that proves the main job: signals in, cases closed, nothing lost, nothing doubled."""
