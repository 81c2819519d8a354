"""What the outside door's database role may do on PostgreSQL: insert a request, read by a code, nothing else.

The role (``yiwang_outside``) is made with the database (deploy/postgres-init.sh); where it is missing there is nothing
to grant.  Reading goes through two functions that run with their owner's rights, so the role needs no SELECT at all.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

ROLE = "yiwang_outside"
COLUMNS = "request_id, token_hash, kind, body, data, language, created_at"

_READ = """
CREATE OR REPLACE FUNCTION outside_read(wanted text) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = public, pg_temp AS
  $$ SELECT json_build_object('state', state, 'view', view) FROM outside_request WHERE token_hash = wanted {more} $$;
"""
_LINKS = """
  UNION ALL SELECT json_build_object('state', 'taken', 'view', view) FROM link_token
  WHERE token_hash = wanted AND revoked_at IS NULL AND until > now() LIMIT 1
"""
_FUNCTIONS = """
CREATE OR REPLACE FUNCTION outside_page(wanted text) RETURNS json LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = public, pg_temp AS
  $$ SELECT body FROM outside_page WHERE name = wanted $$;
REVOKE ALL ON FUNCTION outside_read(text), outside_page(text) FROM PUBLIC;
"""


def make_functions(connection: Connection, *, links: bool = False) -> None:
    """The two functions by which the role reads; nothing on other databases.  ``links``: codes of links, too."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(_READ.format(more=_LINKS if links else "")))
        connection.execute(text(_FUNCTIONS))


def grant(connection: Connection) -> bool:
    """Give the role its two verbs; False where the database has no such role."""
    if connection.dialect.name != "postgresql":
        return False
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE}) is None:
        return False
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {ROLE}"))
    connection.execute(text(f"GRANT INSERT ({COLUMNS}) ON outside_request TO {ROLE}"))
    connection.execute(text(f"GRANT EXECUTE ON FUNCTION outside_read(text), outside_page(text) TO {ROLE}"))
    return True
