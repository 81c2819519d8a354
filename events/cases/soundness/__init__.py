"""What makes a case definition sound, a subject a module: shape, people, clocks, commands, verbs, fields, course."""
