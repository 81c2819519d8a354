"""The outside door (``/h``): a process of its own for people without an account."""
