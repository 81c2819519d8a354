"""What benefits without application refuse."""

from __future__ import annotations

from core.errors import YiwangError


class BenefitMoveIllegal(YiwangError):
    code = "benefit_move_illegal"
    message = "benefit {benefit} is {state}: {detail}"
    remedy = "{how}"


class BenefitSamePerson(YiwangError):
    code = "same_person"
    message = "whoever asked for a benefit to be switched on does not confirm it"
    remedy = "let another manager of the payer or an administrator confirm it"
