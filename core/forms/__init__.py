"""Forms as data: questions in XLSForm's words, one expression language, import and export.  Pure.

The browser evaluates the same forms with ``dashboard/static/forms/``; both are held to one vector file.
"""
