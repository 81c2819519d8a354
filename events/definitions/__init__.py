"""Kinds of cases, one JSON file each; see :mod:`events.cases.definition`."""
