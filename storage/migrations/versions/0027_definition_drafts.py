"""Drafts of kinds of case.

Revision: 0027, after 0026
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "definition_draft",
        sa.Column("draft_id", sa.String(26), nullable=False),
        sa.Column("definition_id", sa.String(40), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("trial", sa.JSON(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(40), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by", sa.String(40), nullable=False),
        sa.Column("published_version", sa.Integer(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("published_by", sa.String(40), nullable=True),
        sa.PrimaryKeyConstraint("draft_id", name="pk_definition_draft"),
    )
    op.create_index("ix_definition_draft_definition_id", "definition_draft", ["definition_id"])


def downgrade() -> None:
    op.drop_table("definition_draft")
