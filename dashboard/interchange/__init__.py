"""Interfaces that other systems speak: Open311, CAP, OGC API."""
