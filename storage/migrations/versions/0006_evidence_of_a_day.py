"""How much somebody uploaded in a day is looked up.

Revision: 0006, after 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_case_evidence_added_by_added_at", "case_evidence", ["added_by", "added_at"])


def downgrade() -> None:
    op.drop_index("ix_case_evidence_added_by_added_at", "case_evidence")
