"""Source plug-ins, one file a kind; the contract is :mod:`ingest.contract`.

Modules whose names begin with ``_`` are parts of a plug-in, not plug-ins.
"""
