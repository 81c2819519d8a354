"""Every plug-in keeps its contract and is documented; every misuse has its own message."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core import plugins
from core.errors import PluginLibraryMissing, PluginParamsInvalid, PluginUnknown
from scripts.plugin_docs import render

ALL = [(group, kind) for group in plugins.GROUPS for kind in plugins.kinds(group)]
DOCS = Path(__file__).resolve().parents[3] / "docs" / "plugins.md"


@pytest.mark.parametrize(("group", "kind"), ALL)
def test_a_plugin_has_params_build_and_a_docstring(group: str, kind: str) -> None:
    module = plugins.load(group, kind)
    assert issubclass(module.Params, msgspec.Struct)
    assert module.Params.__struct_config__.frozen
    assert callable(module.build)
    assert module.__doc__
    assert len(module.__doc__) > 20


@pytest.mark.parametrize(("group", "kind"), ALL)
def test_a_misspelt_parameter_is_refused_with_the_known_ones(group: str, kind: str) -> None:
    with pytest.raises(PluginParamsInvalid, match="unknown parameter 'mispelt'"):
        plugins.parse_params(group, kind, {"mispelt": 1})


def test_an_ill_typed_parameter_is_refused() -> None:
    with pytest.raises(PluginParamsInvalid, match="min_staff"):
        plugins.parse_params("algorithm", "absence", {"min_staff": "two"})


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(PluginUnknown, match="absence"):
        plugins.load("algorithm", "abscence")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="openvino")

    monkeypatch.setattr(plugins.importlib, "import_module", lambda name: _package(name) or absent(name))
    with pytest.raises(PluginLibraryMissing, match="pip install openvino"):
        plugins.load("detector", plugins.kinds("detector")[0])


def _package(name: str) -> object:
    import sys

    return sys.modules.get(name) if name in plugins.GROUPS.values() else None


def test_the_reference_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == render(), "run: python scripts/plugin_docs.py"
