"""The peer of ``bench phones``: a handler as one writes it by hand, without engine, rights, audit or notices."""

from __future__ import annotations

import hashlib
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, HTTPException
from sqlalchemy import ForeignKey, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.settings import Settings


class Plain(DeclarativeBase):
    """Its own tables."""


class Signed(Plain):
    __tablename__ = "signed"
    mark: Mapped[str] = mapped_column(String(64), primary_key=True)


class File(Plain):
    __tablename__ = "file"
    case_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)


class Move(Plain):
    __tablename__ = "move"
    move_id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("file.case_id"))
    text: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True)
class PlainServer:
    """Where the peer's database lies and on which port it will listen."""

    database: str
    port: int


def make_plain(settings: Settings, people: list[tuple[str, str, str]]) -> PlainServer:
    """The peer's database with the same people and cases."""
    url = f"sqlite:///{settings.data_dir / 'plain.db'}"
    engine = create_engine(url)
    Plain.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([Signed(mark=hashlib.sha256(secret.encode()).hexdigest()) for secret, _, _ in people])
        session.add_all([File(case_id=case_id) for case_id in sorted({case for _, _, case in people})])
    engine.dispose()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return PlainServer(url, int(probe.getsockname()[1]))


def plain_app(url: str) -> FastAPI:
    """The handler."""
    engine, app = create_engine(url, connect_args={"timeout": 30}), FastAPI()

    @app.get("/livez")
    def livez() -> dict[str, bool]:
        return {"ok": True}

    @app.post("/api/cases/{case_id}/commands")
    def command(case_id: str, body: dict[str, Any], yiwang_session: Annotated[str, Cookie()]) -> dict[str, Any]:
        with Session(engine) as session, session.begin():
            if session.get(Signed, hashlib.sha256(yiwang_session.encode()).hexdigest()) is None:
                raise HTTPException(401)
            file = session.get(File, case_id)
            if file is None:
                raise HTTPException(404)
            file.version += 1
            session.add(Move(case_id=case_id, text=str(body["data"]["comment"]), at=datetime.now(UTC)))
            return {"case_id": case_id, "version": file.version}

    return app


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(plain_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
