"""Every plug-in keeps its contract and is documented; every misuse has its own message."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core import plugins
from core.errors import PluginLibraryMissing, PluginParamsInvalid, PluginUnknown
from scripts.plugin_docs import render, render_zh

ALL = [(group, kind) for group in plugins.GROUPS for kind in plugins.kinds(group)]
DOCS = Path(__file__).resolve().parents[3] / "docs"


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
    for path, text in (("plugins.md", render()), ("zh/plugins.md", render_zh())):
        assert (DOCS / path).read_text(encoding="utf-8") == text, "run: python scripts/plugin_docs.py"


OWN = '''"""Weather vane: a sensor of this city alone."""
import msgspec
from core.plugins import About, Words

ABOUT = About(zh="风向标", en="Weather vane", transport="tcp", port=8799, params={"beat_s": Words("间隔", "Interval")})

class Params(msgspec.Struct, frozen=True):
    beat_s: float = 5.0

def build(params):
    return params.beat_s
'''


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Path]:
    """A city's own plug-in folder of sources."""
    folder = tmp_path / "plugins" / "sources"
    folder.mkdir(parents=True)
    plugins.use_city_folder(tmp_path / "plugins")
    yield folder
    plugins.use_city_folder(None)


@pytest.mark.parametrize(("group", "kind"), ALL)
def test_what_a_plugin_says_is_read_without_importing_it(group: str, kind: str) -> None:
    assert plugins.about(group, kind) == plugins.load(group, kind).ABOUT
    assert plugins.about(group, kind).zh
    assert plugins.about(group, kind).en.isascii()


def test_a_citys_own_plugin_is_one_file(city: Path) -> None:
    (city / "vane.py").write_text(OWN, encoding="utf-8")
    assert "vane" in plugins.kinds("source")
    assert plugins.titles("source", "zh")["vane"] == "风向标"
    assert plugins.about("source", "vane").params["beat_s"].en == "Interval"
    assert plugins.build("source", "vane", {"beat_s": 2}) == 2.0
    assert plugins.problems("source") == []


def test_a_changed_file_is_taken_up_when_built_again(city: Path) -> None:
    (city / "vane.py").write_text(OWN, encoding="utf-8")
    assert plugins.build("source", "vane", {}) == 5.0
    before = plugins.city_mark()
    (city / "vane.py").write_text(OWN.replace("5.0", "7.0"), encoding="utf-8")
    os.utime(city / "vane.py", ns=(1, 1))
    assert plugins.city_mark() != before
    assert plugins.build("source", "vane", {}) == 7.0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("raise RuntimeError('boom')", "boom"),
        ("def broken(:", "SyntaxError"),
        ("x = 1", "ABOUT"),
        (OWN.replace("def build", "def built"), "build is missing"),
        (OWN.replace("port=8799", "port='many'"), "port"),
        ("import no_such_library_here", "no_such_library_here"),
    ],
)
def test_a_broken_file_is_named_and_the_rest_runs(city: Path, text: str, named: str) -> None:
    (city / "vane.py").write_text(text, encoding="utf-8")
    (told,) = plugins.problems("source")
    assert named in str(told)
    assert "vane" in str(told)
    assert set(plugins.titles("source", "en")) >= {"gb26875", "modbus"}
    assert plugins.build("source", "gb26875", {}) is not None


def test_a_name_that_ships_is_not_replaced(city: Path) -> None:
    (city / "modbus.py").write_text(OWN, encoding="utf-8")
    (told,) = plugins.problems("source")
    assert told.code == "plugin_name_taken"
    assert plugins.about("source", "modbus").en.startswith("Controller")
