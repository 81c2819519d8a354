"""The shapes of answers that are put together from rows: named, described in OpenAPI and held to in tests.

Answers that are records already (``CaseSummary``, ``Alarm`` …) are declared as what they are.
"""
