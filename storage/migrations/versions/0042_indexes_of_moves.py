"""Indexes that every move of a case had to keep and no list looked up: stage of a case, state of a part alone.

Revision: 0042, after 0041
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_GONE = (("case_file", "stage"), ("case_assignment", "state"))


def upgrade() -> None:
    for table, column in _GONE:
        op.drop_index(f"ix_{table}_{column}", table)


def downgrade() -> None:
    for table, column in _GONE:
        op.create_index(f"ix_{table}_{column}", table, [column])
