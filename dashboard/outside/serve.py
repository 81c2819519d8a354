"""Runs the outside door."""

from __future__ import annotations

from core.network import calm_server
from dashboard.client_address import Proxies
from dashboard.outside.application import create_outside_app
from dashboard.outside.settings import OutsideSettings
from dashboard.sockets import Budget, more_files, protocol_of


def serve(settings: OutsideSettings) -> None:
    """Until SIGINT or SIGTERM; the same limits on connections as inside."""
    more_files()
    budget = Budget(Proxies.parse(settings.proxies))
    calm_server.serve(
        create_outside_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=protocol_of(budget),
        backlog=2048,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        ws="none",
    )
