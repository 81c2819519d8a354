"""Benefits without application for people: what a page or a route asks, and the worker's run."""
