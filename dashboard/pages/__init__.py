"""The pages: what a browser sees.  :func:`mount` adds them to the web process, after its API routes."""

from __future__ import annotations

from dashboard.pages.mount import mount

__all__ = ["mount"]
