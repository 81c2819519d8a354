"""Which passwords a person may choose: none that everybody tries first, none made of the login, none used lately."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from storage.tables.accounts import PasswordHistory
from storage.tables.people import User

REMEMBERED = 5
# What people type first, reduced by `_plain`: letters of look-alike digits, without the numbers and signs hung on.
_COMMON = frozenset({
    "password", "passwort", "passw", "letmein", "welcome", "admin", "administrator", "root", "qwerty", "qwertyuiop",
    "asdfghjkl", "zxcvbnm", "iloveyou", "monkey", "dragon", "sunshine", "princess", "football", "baseball",
    "master", "superman", "batman", "trustno", "shadow", "michael", "jordan", "hunter", "secret", "changeme",
    "default", "test", "guest", "user", "login", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh",
    "abcdefghij", "aaaaaaaaaa", "woaini", "woaizhongguo", "zhongguo", "beijing", "shanghai", "changchun", "jilin",
    "erdao", "erdaoqu", "yiwang", "yiwangtongguan", "chengguan", "xiaofang", "nihao", "mima", "wodemima", "qazwsx",
    "qazwsxedc", "qweasd", "qweasdzxc", "zaqwsx", "asdf", "qwer", "qwerasdf", "aini", "woshishui", "ceshi",
    "guanli", "guanliyuan",
})  # fmt: skip
_LOOKS = str.maketrans("013457@$!", "oleastasi")
_RUNS = (
    "0123456789", "9876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
)  # fmt: skip


def check(session: Session, user: User, password: str, matches: Callable[[str, str], bool]) -> None:
    """:class:`InputInvalid` (``reason``: common, own_name, used_before) for a password that is not to be taken.

    ``matches(hash, password)`` compares with a stored one.
    """
    plain = password.lower()
    if is_common(plain):
        raise _refuse("common", "is one that everybody tries first")
    own = [w.lower() for w in (user.login, user.name, user.phone) if len(w) >= 4]
    if any(w in plain and len(plain.replace(w, "")) < 6 for w in own):
        raise _refuse("own_name", "is hardly more than your own name, login or number")
    had = session.scalars(
        select(PasswordHistory.password_hash)
        .where(PasswordHistory.user_id == user.user_id)
        .order_by(PasswordHistory.changed_at.desc())
        .limit(REMEMBERED)
    )
    if any(matches(old, password) for old in (user.password_hash, *had) if old):
        raise _refuse("used_before", "was used before")


def _refuse(reason: str, detail: str) -> InputInvalid:
    how = "choose a longer one of your own, e.g. four words"
    return InputInvalid(field="new_password", reason=reason, detail=detail, how=how)


def is_common(plain: str) -> bool:
    """Is it, in lower case, a common word with numbers hung on, one sign repeated, or a run of the keyboard?"""
    if len(set(plain)) <= 3:
        return True
    letters = re.sub(r"[\W\d_]+$|^[\W\d_]+", "", plain)
    words = {letters, letters.translate(_LOOKS), re.sub(r"[\W\d_]+", "", plain)}
    if words & _COMMON and len(plain) - max(map(len, words & _COMMON)) <= 8:
        return True
    half = plain[: len(plain) // 2]
    if len(plain) % 2 == 0 and half * 2 == plain and (half in _COMMON or len(set(half)) <= 4 or _is_run(half)):
        return True
    return _is_run(plain)


def _is_run(text: str) -> bool:
    """Nearly all of it are neighbours of one keyboard or alphabet run."""
    pairs = list(zip(text, text[1:], strict=False))
    near = sum(any(a + b in run for run in _RUNS) for a, b in pairs)
    return bool(pairs) and near >= 0.8 * len(pairs)


def remember(session: Session, user: User, now: datetime) -> None:
    """Keep the password that is about to be replaced; older ones than the last few are forgotten."""
    if not user.password_hash:
        return
    while session.get(PasswordHistory, (user.user_id, now)) is not None:
        now += timedelta(microseconds=1)
    session.add(PasswordHistory(user_id=user.user_id, changed_at=now, password_hash=user.password_hash))
    session.flush()
    kept = session.scalars(
        select(PasswordHistory.changed_at)
        .where(PasswordHistory.user_id == user.user_id)
        .order_by(PasswordHistory.changed_at.desc())
        .limit(REMEMBERED)
    ).all()
    if len(kept) == REMEMBERED:
        older = (PasswordHistory.user_id == user.user_id, PasswordHistory.changed_at < kept[-1])
        session.execute(delete(PasswordHistory).where(*older))
