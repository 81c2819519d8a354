"""Indexes for a million closed cases: what lists, maps and correlation look up; none that knows nearly every row.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RARE = ("parent_case_id", "merged_into_id")


def upgrade() -> None:
    op.drop_index("ix_case_assignment_department_id", "case_assignment")
    op.create_index("ix_case_assignment_department_state", "case_assignment", ["department_id", "state", "case_id"])
    op.drop_index("ix_case_file_open", "case_file")
    op.create_index("ix_case_file_open_opened_at", "case_file", ["open", "opened_at", "case_id"])
    op.create_index("ix_case_file_open_place", "case_file", ["open", "lat", "lon"])
    op.drop_index("ix_case_file_happening_key", "case_file")
    op.create_index("ix_case_file_happening_open", "case_file", ["happening_key", "open"])
    op.drop_index("ix_case_file_site_id", "case_file")
    op.create_index("ix_case_file_site_open", "case_file", ["site_id", "open"])
    for column in _RARE:
        given = sa.text(f"{column} IS NOT NULL")
        op.drop_index(f"ix_case_file_{column}", "case_file")
        op.create_index(f"ix_case_file_{column}", "case_file", [column], sqlite_where=given, postgresql_where=given)


def downgrade() -> None:
    for column in _RARE:
        op.drop_index(f"ix_case_file_{column}", "case_file")
        op.create_index(f"ix_case_file_{column}", "case_file", [column])
    op.drop_index("ix_case_file_site_open", "case_file")
    op.create_index("ix_case_file_site_id", "case_file", ["site_id"])
    op.drop_index("ix_case_file_happening_open", "case_file")
    op.create_index("ix_case_file_happening_key", "case_file", ["happening_key"])
    op.drop_index("ix_case_file_open_place", "case_file")
    op.drop_index("ix_case_file_open_opened_at", "case_file")
    op.create_index("ix_case_file_open", "case_file", ["open"])
    op.drop_index("ix_case_assignment_department_state", "case_assignment")
    op.create_index("ix_case_assignment_department_id", "case_assignment", ["department_id"])
