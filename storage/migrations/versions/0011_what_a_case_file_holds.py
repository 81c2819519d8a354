"""What a case file holds besides its course: own data, documents, whom it is about, whose turn it is, drafts.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_field",
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("command", sa.String(24), nullable=False),
        sa.Column("by", sa.String(40), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name="fk_case_field_case_id_case_file"),
        sa.PrimaryKeyConstraint("case_id", "name", name="pk_case_field"),
    )
    op.create_index("ix_case_field_name_at", "case_field", ["name", "at"])
    op.create_table(
        "case_document",
        sa.Column("document_id", sa.String(26), nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(80), nullable=False),
        sa.Column("uri", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("issued_number", sa.String(60), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name="fk_case_document_case_id_case_file"),
        sa.PrimaryKeyConstraint("document_id", name="pk_case_document"),
        sa.UniqueConstraint("issued_number", name="uq_case_document_issued_number"),
    )
    op.create_index("ix_case_document_case_id", "case_document", ["case_id"])
    op.create_table(
        "case_subject",
        sa.Column("subject_id", sa.String(26), nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("contact", sa.String(80), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name="fk_case_subject_case_id_case_file"),
        sa.PrimaryKeyConstraint("subject_id", name="pk_case_subject"),
    )
    op.create_index("ix_case_subject_case_id", "case_subject", ["case_id"])
    op.create_table(
        "case_turn",
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("case_id", sa.String(26), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name="fk_case_turn_case_id_case_file"),
        sa.PrimaryKeyConstraint("key", "opened_at", "case_id", name="pk_case_turn"),
    )
    op.create_index("ix_case_turn_case_id", "case_turn", ["case_id"])
    op.create_table(
        "report_draft",
        sa.Column("draft_id", sa.String(26), nullable=False),
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("definition_id", sa.String(40), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.user_id"], name="fk_report_draft_user_id_user_account"),
        sa.PrimaryKeyConstraint("draft_id", name="pk_report_draft"),
    )
    op.create_index("ix_report_draft_user_id", "report_draft", ["user_id"])
    op.add_column("case_assignment", sa.Column("after_department", sa.String(40), nullable=True))
    with op.batch_alter_table("case_clock") as batch:
        batch.alter_column("kind", existing_type=sa.String(12), type_=sa.String(24), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("case_clock") as batch:
        batch.alter_column("kind", existing_type=sa.String(24), type_=sa.String(12), existing_nullable=False)
    with op.batch_alter_table("case_assignment") as batch:
        batch.drop_column("after_department")
    for table in ("report_draft", "case_turn", "case_subject", "case_document", "case_field"):
        op.drop_table(table)
