"""What filings refuse."""

from __future__ import annotations

from core.errors import YiwangError


class FilingLocked(YiwangError):
    code = "filing_locked"
    message = "the filing of {unit} for {period} is locked: {why}"
    remedy = "ask whoever approved it to take it back"


class FilingChanged(YiwangError):
    code = "filing_changed"
    message = "the filing was changed by somebody else (version {version}, not {expected})"
    remedy = "load it again and repeat the change"


class FilingIncomplete(YiwangError):
    code = "filing_incomplete"
    message = "the filing has {count} problems"
    remedy = "correct the cells, or give a comment where a warning is right"


class NotYetApproved(YiwangError):
    code = "not_yet_approved"
    message = "{count} units below are not approved: {units}"
    remedy = "approve them first, or exempt them"
