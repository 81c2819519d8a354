"""Tables, one module a topic."""
