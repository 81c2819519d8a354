"""Our pages' own files under addresses that name their content: a browser keeps them and never asks again.

``/static/v/{version}/ui/…`` is ``/static/ui/…``; ``version`` is a digest of all of them, so that modules that belong
together come from one state.  Files are compressed once and kept in memory (about a megabyte).
"""

from __future__ import annotations

import json
import mimetypes
import posixpath
import re
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dashboard.i18n import words
from dashboard.pages.files.packing import Packed, packed

FOLDERS = ("css", "forms", "ui", "vendor", "work")
LOOK_S = 2.0  # how often the files' times are looked at
_WORDS: dict[str, tuple[Packed, str]] = {}  # by language, as they were last sent
SHEET = "css/all.css"  # every style sheet of a page in one
_ABSOLUTE = re.compile(rb"\"/static/((?:" + "|".join(FOLDERS).encode() + rb")/[\w./-]+\.(?:mjs|js|css))\"")
_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"'();]*["']([^"']+\.mjs)["']""", re.MULTILINE)


_NAMED = re.compile(r"""["'`]([a-z_]+)(?=[.'"`])""")


@dataclass(frozen=True)
class ReleasedFile:
    """A file as it is sent."""

    body: Packed
    media_type: str


class Release:
    """The files below ``root`` in their present state; looked at again when they change (development, upgrades)."""

    def __init__(self, root: Path, sheets: Sequence[str] = ()) -> None:
        self._root = root
        self._sheets = [address.removeprefix("/static/") for address in sheets]
        self._shelf = root / "vendor" / "packed"
        self._mark: object = None
        self._looked = -1e9
        self._version = ""
        self._files: dict[str, ReleasedFile | None] = {}
        self._modules: dict[str, list[str]] = {}
        self._groups: frozenset[str] | None = None

    @property
    def version(self) -> str:
        """The digest that stands in the addresses."""
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._look()
        return self._version

    def address(self, path: str) -> str:
        """Where ``path`` (``ui/wall/page.mjs``) is kept by browsers."""
        return f"/static/v/{self.version}/{path}"

    def file(self, path: str) -> ReleasedFile | None:
        """The file at ``path`` below the folders of pages; None where there is none."""
        if path not in self._files:
            self._files[path] = self._read(path)
        return self._files[path]

    def modules(self, entries: Sequence[str]) -> list[str]:
        """The modules that ``entries`` import at once and what these import, each once, nearest first."""
        key = f"{self.version} {' '.join(entries)}"
        if key not in self._modules:
            self._modules = {key: self._graph(entries)}
        return self._modules[key]

    def groups(self) -> frozenset[str]:
        """The groups of words (``map`` of ``map.north``) that any module names; a list of its own has the phone."""
        if self._groups is None:
            files = [p for p in self._paths() if p.suffix in (".mjs", ".js") and "vendor" not in p.parts]
            self._groups = frozenset(name for p in files for name in _NAMED.findall(p.read_text(encoding="utf-8")))
        return self._groups

    def _graph(self, entries: Sequence[str]) -> list[str]:
        found = list(entries)
        for path in found:
            text = (self._root / path).read_text(encoding="utf-8")
            for name in _IMPORT.findall(text):
                inner = name.removeprefix("/static/") if name.startswith("/static/") else ""
                inner = inner or posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
                if inner not in found and self._inside(inner) is not None:
                    found.append(inner)
        return found

    def _look(self) -> None:
        mark = [(str(p), s.st_mtime_ns, s.st_size) for p in self._paths() for s in (p.stat(),)]
        if mark == self._mark:
            return
        digest = sha256()
        for path in self._paths():
            digest.update(str(path.relative_to(self._root)).encode() + b"\0" + path.read_bytes())
        self._mark, self._version = mark, digest.hexdigest()[:16]
        self._files, self._modules, self._groups = {}, {}, None

    def _paths(self) -> list[Path]:
        shelf = self._shelf
        return sorted(
            p for name in FOLDERS for p in (self._root / name).rglob("*") if p.is_file() and p.parent != shelf
        )

    def _inside(self, path: str) -> Path | None:
        folder = path.split("/", 1)[0]
        if folder not in FOLDERS:
            return None
        file = (self._root / path).resolve()
        return file if file.is_file() and file.is_relative_to((self._root / folder).resolve()) else None

    def _read(self, path: str) -> ReleasedFile | None:
        if path == SHEET:
            parts = [found.read_bytes() for name in self._sheets if (found := self._inside(name))]
            body, media = b"\n".join(parts), "text/css"
        else:
            file = self._inside(path)
            if file is None:
                return None
            body, media = file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if path.endswith((".mjs", ".js")):
            body = _ABSOLUTE.sub(f'"/static/v/{self._version}/\\1"'.encode(), body)
        return ReleasedFile(packed(body, self._shelf), media)


def keeping(release: Release, version: str) -> dict[str, str]:
    """How long a browser may keep an answer; another state's address is asked for again."""
    kept = version == release.version
    return {"Cache-Control": "public, max-age=31536000, immutable" if kept else "no-cache"}


def words_file(language: str, groups: Set[str]) -> tuple[Packed, str]:
    """The words in ``language`` that modules of ``groups`` show, as JSON, and their entity tag.

    The desk's pages bring the words of everything else: they are written on the server.
    """
    everything = {**words(language), **_kind_words(language)}
    chosen = {key: text for key, text in everything.items() if key.partition(".")[0] in groups}
    body = json.dumps(chosen, ensure_ascii=False).encode()
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    known = _WORDS.get(language)
    if known is None or known[1] != tag:
        known = _WORDS[language] = (packed(body), tag)
    return known


def _kind_words(language: str) -> dict[str, str]:
    from dashboard.pages.kind_words import kind_words  # the case engine is loaded when a page first asks for its words

    return kind_words(language)
