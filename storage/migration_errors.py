"""What a migration refuses."""

from __future__ import annotations

from core.errors import YiwangError


class ReferencesBroken(YiwangError):
    code = "references_broken"
    message = "after the migration rows would point at rows that are not there: {detail}"
    remedy = "nothing was changed; report the migration, or mend these rows and migrate again"
