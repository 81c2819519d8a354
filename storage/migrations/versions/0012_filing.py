"""Filings: data sets by unit and period, approvals, totals, exemptions.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "filing_approval",
        sa.Column("dataset_id", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("unit_id", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "period", "unit_id", name=op.f("pk_filing_approval")),
    )
    op.create_table(
        "filing_dataset",
        sa.Column("dataset_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("taken_by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "version", name=op.f("pk_filing_dataset")),
    )
    op.create_table(
        "filing_event",
        sa.Column("event_id", sa.String(length=26), nullable=False),
        sa.Column("dataset_id", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("question", sa.String(length=80), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_filing_event")),
    )
    op.create_index("ix_filing_event_place", "filing_event", ["dataset_id", "unit_id", "period"], unique=False)
    op.create_table(
        "filing_exemption",
        sa.Column("dataset_id", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "unit_id", "period", name=op.f("pk_filing_exemption")),
    )
    op.create_table(
        "filing_total",
        sa.Column("dataset_id", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("unit_id", sa.String(length=40), nullable=False),
        sa.Column("question", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("rolled_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "period", "unit_id", "question", name=op.f("pk_filing_total")),
    )
    op.create_table(
        "filing_unit",
        sa.Column("unit_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["filing_unit.unit_id"], name=op.f("fk_filing_unit_parent_id_filing_unit")
        ),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_filing_unit")),
    )
    op.create_index(op.f("ix_filing_unit_parent_id"), "filing_unit", ["parent_id"], unique=False)
    op.create_table(
        "filing",
        sa.Column("filing_id", sa.String(length=26), nullable=False),
        sa.Column("dataset_id", sa.String(length=40), nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("filed_at", UtcDateTime(), nullable=True),
        sa.Column("filed_by", sa.String(length=40), nullable=True),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["filing_unit.unit_id"], name=op.f("fk_filing_unit_id_filing_unit")),
        sa.PrimaryKeyConstraint("filing_id", name=op.f("pk_filing")),
        sa.UniqueConstraint("dataset_id", "period", "unit_id", name=op.f("uq_filing_dataset_id_period_unit_id")),
    )
    op.create_index(op.f("ix_filing_unit_id"), "filing", ["unit_id"], unique=False)
    op.create_index("ix_filing_unit_period", "filing", ["unit_id", "period"], unique=False)
    op.create_table(
        "filing_value",
        sa.Column("filing_id", sa.String(length=26), nullable=False),
        sa.Column("question", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.filing_id"], name=op.f("fk_filing_value_filing_id_filing")),
        sa.PrimaryKeyConstraint("filing_id", "question", name=op.f("pk_filing_value")),
    )


def downgrade() -> None:
    op.drop_table("filing_value")
    op.drop_table("filing")
    op.drop_table("filing_unit")
    op.drop_table("filing_total")
    op.drop_table("filing_exemption")
    op.drop_table("filing_event")
    op.drop_table("filing_dataset")
    op.drop_table("filing_approval")
