"""What can be wrong with a definition, in words: code → (what, remedy) in English and in Chinese.

:data:`ADVICE` are faults that keep no definition from running.
"""

from __future__ import annotations

from events.cases.soundness.course_words import CLOCKS, COURSE, PEOPLE
from events.cases.soundness.field_words import FIELDS, SHAPE, VERBS
from events.cases.soundness.wording import ProblemWords

TEXTS: dict[str, ProblemWords] = {**SHAPE, **COURSE, **PEOPLE, **CLOCKS, **FIELDS, **VERBS}
ADVICE = frozenset(
    {
        "translation_missing",
        "title_same",
        "state_unreachable",
        "trigger_childless",
        "word_unknown",
        "initial_closed",
        "clock_never_started",
        "clock_never_stopped",
    }
)
ESSENTIAL = frozenset(
    {
        "effect_unknown",
        "guard_unknown",
        "state_unknown",
        "initial_unknown",
        "stage_unknown",
        "clock_unknown",
        "approval_unknown",
        "field_unknown",
        "template_unknown",
        "automatic_unknown",
        "relation_unknown",
    }
)
"""Without these a running case could not go on; versions that are kept are held to them alone."""
