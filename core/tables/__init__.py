"""Reads the tables that people bring (CSV, TSV, XLSX, XLS, XLSB, ODS) and names everything that is wrong with them.

Start with :func:`core.tables.reader.read_table`: it yields typed rows and fills a
:class:`core.tables.problem.Problems`.
``docs/tables.md`` lists what is recognised and how to call it.  Pure: nothing here knows a database.
"""
