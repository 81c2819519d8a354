"""Fixtures that several acceptance tests share; a browser test that fails is tried once more."""

from __future__ import annotations

import pytest

from tests.acceptance.browserkit import chromium, fake

__all__ = ["chromium", "fake"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A second try for tests that drive a real browser on a shared machine; pytest's closing line counts the reruns."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
