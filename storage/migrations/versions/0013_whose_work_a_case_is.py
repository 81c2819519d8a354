"""Keys of who has to do with a case, for those that are there already.

Revision: 0013, after 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_KEYS = (
    ("'w:r:' || c.reporter_id", "case_file c", "c.reporter_id IS NOT NULL"),
    ("'w:u:' || c.handler_id", "case_file c", "c.handler_id IS NOT NULL"),
    ("'w:d:' || a.department_id", "case_assignment a JOIN case_file c ON c.case_id = a.case_id", "1 = 1"),
    ("'w:u:' || a.user_id", "case_assignment a JOIN case_file c ON c.case_id = a.case_id", "a.user_id IS NOT NULL"),
    ("'w:u:' || p.user_id", "case_party p JOIN case_file c ON c.case_id = p.case_id", "1 = 1"),
)


def upgrade() -> None:
    for key, tables, wanted in _KEYS:
        op.execute(
            f"INSERT INTO case_turn (key, opened_at, case_id) SELECT DISTINCT {key}, c.opened_at, c.case_id"  # noqa: S608
            f" FROM {tables} WHERE {wanted} ON CONFLICT DO NOTHING"
        )


def downgrade() -> None:
    op.execute("DELETE FROM case_turn WHERE key LIKE 'w:%'")
