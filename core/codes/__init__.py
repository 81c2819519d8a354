"""Codes with rules of their own: credit codes, resident numbers, items, licences, projects, catalogues; and masking.

Every check is a pure function of the text (and of the day, where a birth date may lie in the future) and answers a
:class:`~core.codes.result.CodeCheck`.  Pages, imports and ``bench vectors`` call the same functions.
"""
