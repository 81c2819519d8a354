"""Acknowledgements of alarms, by name.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm_acknowledgement",
        sa.Column("case_id", sa.String(26), sa.ForeignKey("case_file.case_id"), primary_key=True),
        sa.Column("raised_seq", sa.Integer, primary_key=True),
        sa.Column("severity", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("waited_s", sa.Float(53), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("alarm_acknowledgement")
