"""Boards as pages and workbooks: tiles drawn, drilled into, exported."""
