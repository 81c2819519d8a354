"""``email``: notices by SMTP to addresses of users, departments and roles."""

from __future__ import annotations

import asyncio
import os
import smtplib
import ssl
from email.message import EmailMessage
from typing import Literal

import msgspec

from core.bus import Bus
from core.network.deadline import SocketDeadline
from core.plugins import About, Words
from core.settings import Settings
from events.notify.channel import NoticeMessage, NotifierFailed

ABOUT = About(
    zh="电子邮件",
    en="E-mail",
    params={
        "host": Words("主机", "Host"),
        "sender": Words("发件人", "Sender"),
        "recipients": Words("收件人", "Recipients"),
        "port": Words("端口", "Port"),
        "security": Words("加密方式", "Encryption"),
        "user": Words("用户名", "User"),
        "password_env": Words("密码所在环境变量", "Variable that holds the password"),
        "min_severity": Words("最低等级", "Severity from"),
    },
)

TIMEOUT_S = 15.0
WHOLE_S = 60.0  # of one message, however slowly the server speaks


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``recipients``: ``{"user:<id>": ["a@b"], "department:<id>": […], "role:operator": […], "*": […]}``.

    ``password_env`` names the environment variable that holds the password.  Below ``min_severity`` nothing is sent.
    """

    host: str
    sender: str
    recipients: dict[str, list[str]]
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_env: str = ""
    min_severity: int = 2

    def __post_init__(self) -> None:
        for address in [self.sender, *(a for some in self.recipients.values() for a in some)]:
            if "@" not in address or any(c in address for c in "\r\n ,;<>"):
                raise ValueError(f"{address!r} is no e-mail address")


def build(params: Params, *, settings: Settings, bus: Bus) -> Email:
    """The channel."""
    del bus
    return Email(params, settings.public_url)


class Email:
    """See the module."""

    def __init__(self, params: Params, public_url: str) -> None:
        self._params = params
        self._public_url = public_url

    async def send(self, notice: NoticeMessage) -> None:
        """Send to everybody the notice is for; nobody configured: nothing to do."""
        to = self.recipients(notice)
        if to and notice.severity >= self._params.min_severity:
            await asyncio.to_thread(self._send, notice, to)

    def recipients(self, notice: NoticeMessage) -> list[str]:
        """Addresses for ``notice``: of the user, else the department, else the role; and those of ``*``."""
        known = self._params.recipients
        found = (
            known.get(f"user:{notice.user_id}")
            or known.get(f"department:{notice.department_id}")
            or known.get(f"role:{notice.role}")
            or []
        )
        return list(dict.fromkeys([*found, *known.get("*", [])]))

    def _send(self, notice: NoticeMessage, to: list[str]) -> None:
        params = self._params
        message = EmailMessage()
        message["From"], message["To"] = params.sender, ", ".join(to)
        message["Subject"] = notice.title.replace("\n", " ")[:200]
        message["Message-ID"] = f"<{notice.notice_id}@yiwang>"  # the same notice twice is one message to the reader
        link = f"\n\n{self._public_url}/cases/{notice.case_id}" if notice.case_id else ""
        message.set_content(f"{notice.body or notice.title}{link}\n")
        try:
            factory = BoundedSmtps if params.security == "tls" else BoundedSmtp
            with SocketDeadline(WHOLE_S) as deadline, factory(params.host, params.port, deadline) as server:
                if params.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if params.user:
                    server.login(params.user, os.environ.get(params.password_env, ""))
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise NotifierFailed(channel="email", detail=str(error)) from error


class BoundedSmtp(smtplib.SMTP):
    """A client whose whole talk has one end, the server's greeting included."""

    def __init__(self, host: str, port: int, deadline: SocketDeadline) -> None:
        self._deadline = deadline
        super().__init__(host, port, timeout=TIMEOUT_S)

    def getreply(self) -> tuple[int, bytes]:
        """The server's next answer."""
        if self.sock is not None:
            self._deadline.watch(self.sock)
        return super().getreply()


class BoundedSmtps(BoundedSmtp, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""
