"""A connection to another platform, as the processes that carry it know it (KV ``registry``, ``connection.*``)."""

from __future__ import annotations

import base64
from typing import Literal

from core.records import JSON, Record
from core.sealing import Seal, SealBroken

ORDER = "exchange_order"
"""Observation kind of another platform's order: the worker opens a case from it (``events/runtime/orders.py``)."""


class ConnectionConfig(Record, frozen=True):
    """``spec`` of the version in force beside what does not belong to versions.

    ``sealed``: the secrets, encrypted (base64).  ``key_sha256``: of the key with which a sender pushes; empty: none.
    ``account``: the user whose rights orders of this connection have.
    """

    connection_id: str
    kind: str
    name: str = ""
    direction: Literal["in", "out", "ask", "link"] = "in"
    enabled: bool = False
    version: int = 1
    revision: int = 1
    params: dict[str, JSON] = {}
    mapping: dict[str, JSON] = {}
    interval_s: float = 60.0
    sealed: str = ""
    key_sha256: str = ""
    account: str = ""

    def secrets(self, key: str) -> dict[str, str]:
        """The secrets in clear, opened with the installation's ``records_key``.

        Raises:
            SealBroken: another key sealed them.
        """
        if not self.sealed:
            return {}
        try:
            raw = base64.b64decode(self.sealed, validate=True)
        except ValueError as error:
            raise SealBroken(record_id=self.connection_id) from error
        found = Seal(key).open(f"connection:{self.connection_id}", raw)
        return {name: str(value) for name, value in found.items()}


def seal_secrets(connection_id: str, values: dict[str, str], key: str) -> bytes:
    """``values`` encrypted for this connection alone."""
    return Seal(key).seal(f"connection:{connection_id}", values)
