"""A person's work over every kind of case: lists, what may be reported, drafts, commands to many, words of a file."""
