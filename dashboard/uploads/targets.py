"""What an upload may be for: who may begin one, which kinds are taken, how large.  One row adds a target."""

from __future__ import annotations

from core.errors import Forbidden, InputInvalid
from core.filekind import KLV, TRANSPORT_STREAM, FileKind, refused
from core.officefile import SUFFIXES
from core.records import Record
from dashboard.auth import Principal

MB = 1 << 20
PHOTOS = ("image/jpeg", "image/png", "image/webp")
FILMS = ("video/mp4", "video/quicktime", "video/webm")
SHEETS = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv")


class Target(Record, frozen=True):
    """``limits``: largest size in bytes by media type; ``roles`` empty: every account."""

    limits: dict[str, int]
    roles: tuple[str, ...] = ()

    @property
    def largest(self) -> int:
        """Bytes of the largest file that could be taken."""
        return max(self.limits.values())

    def accept(self, kind: FileKind, size: int) -> None:
        """:class:`core.filekind.FileRefused` for a kind or size that this target does not take."""
        limit = self.limits.get(kind.media_type)
        if limit is None:
            known = ", ".join(sorted(t.rsplit("/", 1)[1] for t in self.limits))
            raise refused(kind.media_type, "kind", f"is {kind.media_type}", f"send one of: {known}")
        if size > limit:
            raise refused(kind.media_type, "size", f"has {size} bytes", f"send at most {limit // MB} MB")


def _limits(*groups: tuple[tuple[str, ...], int]) -> dict[str, int]:
    return {media_type: megabytes * MB for types, megabytes in groups for media_type in types}


TARGETS: dict[str, Target] = {
    "case": Target(limits=_limits((PHOTOS, 20), (FILMS, 200), (("application/pdf",), 20))),
    "document": Target(limits=_limits((tuple(SUFFIXES), 50))),
    "table": Target(limits=_limits((SHEETS, 40))),
    "aerial": Target(
        limits=_limits(
            (PHOTOS, 200), (("image/tiff",), 4096), ((*FILMS, TRANSPORT_STREAM), 4096), ((KLV, "text/csv"), 64)
        ),  # a film's subtitles are text
        roles=("admin", "operator", "drone"),
    ),
}


def target_of(name: str, who: Principal) -> Target:
    """The target ``name`` for ``who``; typed errors for an unknown one and for a missing role."""
    target = TARGETS.get(name)
    if target is None:
        raise InputInvalid(field="target", detail=f"{name!r} is unknown", how=f"use: {', '.join(TARGETS)}")
    if target.roles and not who.has(*target.roles):
        raise Forbidden(action=f"upload for {name} without one of the roles {', '.join(target.roles)}")
    return target
