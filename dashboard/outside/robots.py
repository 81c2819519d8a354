"""The check against robots: a proof of work (ALTCHA), made and judged here, no third party.

It slows machines down and proves nobody a person.  The library accepts one solution twice, so solved challenges are
remembered until they expire.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from altcha import v1 as altcha

from dashboard.outside.problems import RobotCheckFailed

STEPS = 40_000  # hashes at most: about a second on a cheap phone
VALID = timedelta(minutes=20)
MOST_USED = 200_000


class RobotCheck:
    """Challenges signed with one key."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._used: OrderedDict[str, datetime] = OrderedDict()

    def challenge(self) -> dict[str, Any]:
        """A new one, as the browser solves it: find ``number`` with SHA-256(salt + number) = challenge."""
        made = altcha.create_challenge(
            altcha.ChallengeOptions(
                algorithm="SHA-256", max_number=STEPS, hmac_key=self._key, expires=datetime.now(UTC) + VALID
            )
        )
        return {
            "algorithm": made.algorithm, "challenge": made.challenge, "maxnumber": STEPS, "salt": made.salt,
            "signature": made.signature,
        }  # fmt: skip

    def check(self, solution: Any) -> None:
        """:class:`RobotCheckFailed` unless ``solution`` is a fresh one of ours, used for the first time."""
        if not isinstance(solution, dict) or not all(isinstance(k, str) for k in solution):
            raise RobotCheckFailed()
        solved = str(solution.get("challenge", ""))
        now = datetime.now(UTC)
        while self._used and next(iter(self._used.values())) < now:
            self._used.popitem(last=False)
        if solution.get("algorithm") != "SHA-256" or solved in self._used or len(self._used) >= MOST_USED:
            raise RobotCheckFailed()
        try:
            payload = cast(altcha.PayloadType, solution)
            right, _ = altcha.verify_solution(payload, self._key, check_expires=True)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise RobotCheckFailed() from error
        if not right or "expires=" not in str(solution.get("salt")):
            raise RobotCheckFailed()
        self._used[solved] = now + VALID
