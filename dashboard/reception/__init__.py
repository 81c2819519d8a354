"""The inside half of the outside door: takes what people without an account sent in, and writes what they may read."""
