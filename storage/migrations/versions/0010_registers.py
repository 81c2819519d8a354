"""Registers and their records: what exists, which is no case.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "record_access",
        sa.Column("access_id", sa.String(length=26), nullable=False),
        sa.Column("record_id", sa.String(length=26), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("fields", sa.String(length=400), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_record_access")),
    )
    op.create_index(op.f("ix_record_access_record_id"), "record_access", ["record_id"], unique=False)
    op.create_index(op.f("ix_record_access_user_id"), "record_access", ["user_id"], unique=False)
    op.create_table(
        "record_blind",
        sa.Column("hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=26), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("hash", "record_id", "field", name=op.f("pk_record_blind")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record_change_request",
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=26), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("fields", sa.String(length=400), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_record_change_request")),
    )
    op.create_index(op.f("ix_record_change_request_record_id"), "record_change_request", ["record_id"], unique=False)
    op.create_index(op.f("ix_record_change_request_state"), "record_change_request", ["state"], unique=False)
    op.create_table(
        "record_duplicate",
        sa.Column("first_id", sa.String(length=26), nullable=False),
        sa.Column("second_id", sa.String(length=26), nullable=False),
        sa.Column("register_id", sa.String(length=40), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_record_duplicate")),
    )
    op.create_index(op.f("ix_record_duplicate_register_id"), "record_duplicate", ["register_id"], unique=False)
    op.create_index(op.f("ix_record_duplicate_state"), "record_duplicate", ["state"], unique=False)
    op.create_table(
        "record_event",
        sa.Column("event_id", sa.String(length=26), nullable=False),
        sa.Column("record_id", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_record_event")),
    )
    op.create_index("ix_record_event_record", "record_event", ["record_id", "at"], unique=False)
    op.create_table(
        "record_gram",
        sa.Column("gram", sa.String(length=2), nullable=False),
        sa.Column("record_id", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint("gram", "record_id", name=op.f("pk_record_gram")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record_import_mapping",
        sa.Column("register_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(length=40), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("register_id", "name", name=op.f("pk_record_import_mapping")),
    )
    op.create_table(
        "record_import_run",
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("register_id", sa.String(length=40), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_record_import_run")),
    )
    op.create_index(op.f("ix_record_import_run_register_id"), "record_import_run", ["register_id"], unique=False)
    op.create_table(
        "record_link",
        sa.Column("link_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("from_id", sa.String(length=26), nullable=False),
        sa.Column("to_id", sa.String(length=26), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_record_link")),
        sa.UniqueConstraint("kind", "from_id", "to_id", name=op.f("uq_record_link_kind_from_id_to_id")),
    )
    op.create_index("ix_record_link_from", "record_link", ["from_id", "kind"], unique=False)
    op.create_index("ix_record_link_to", "record_link", ["to_id", "kind"], unique=False)
    op.create_table(
        "record_merge",
        sa.Column("merge_id", sa.String(length=26), nullable=False),
        sa.Column("kept_id", sa.String(length=26), nullable=False),
        sa.Column("gone_id", sa.String(length=26), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("merge_id", name=op.f("pk_record_merge")),
    )
    op.create_index(op.f("ix_record_merge_gone_id"), "record_merge", ["gone_id"], unique=False)
    op.create_index(op.f("ix_record_merge_kept_id"), "record_merge", ["kept_id"], unique=False)
    op.create_table(
        "record_saved_view",
        sa.Column("register_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("register_id", "user_id", "name", name=op.f("pk_record_saved_view")),
    )
    op.create_table(
        "register_record",
        sa.Column("record_id", sa.String(length=26), nullable=False),
        sa.Column("register_id", sa.String(length=40), nullable=False),
        sa.Column("natural_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("pinyin", sa.String(length=120), nullable=False),
        sa.Column("initials", sa.String(length=40), nullable=False),
        sa.Column("facet_a", sa.String(length=40), nullable=False),
        sa.Column("facet_b", sa.String(length=40), nullable=False),
        sa.Column("division_code", sa.String(length=12), nullable=False),
        sa.Column("grid_code", sa.String(length=15), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.Column("building_id", sa.String(length=40), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("visit_due", sa.Date(), nullable=True),
        sa.Column("merged_into", sa.String(length=26), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_register_record")),
        sa.UniqueConstraint("register_id", "natural_key", name=op.f("uq_register_record_register_id_natural_key")),
    )
    op.create_index(
        "ix_register_record_building",
        "register_record",
        ["building_id"],
        unique=False,
        sqlite_where=sa.text("building_id <> ''"),
        postgresql_where=sa.text("building_id <> ''"),
    )
    op.create_index(
        "ix_register_record_division",
        "register_record",
        ["register_id", "state", "division_code", "name"],
        unique=False,
    )
    op.create_index(
        "ix_register_record_facet_a",
        "register_record",
        ["register_id", "state", "facet_a", "name", "division_code"],
        unique=False,
    )
    op.create_index(
        "ix_register_record_facet_b",
        "register_record",
        ["register_id", "state", "facet_b", "name", "division_code"],
        unique=False,
    )
    op.create_index("ix_register_record_initials", "register_record", ["initials", "name"], unique=False)
    op.create_index(
        "ix_register_record_name", "register_record", ["register_id", "state", "name", "division_code"], unique=False
    )
    op.create_index("ix_register_record_pinyin", "register_record", ["pinyin", "name"], unique=False)
    op.create_index(
        "ix_register_record_visit",
        "register_record",
        ["visit_due"],
        unique=False,
        sqlite_where=sa.text("visit_due IS NOT NULL"),
        postgresql_where=sa.text("visit_due IS NOT NULL"),
    )
    op.create_table(
        "register_version",
        sa.Column("register_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("taken_by", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("register_id", "version", name=op.f("pk_register_version")),
    )
    op.create_table(
        "record_visit",
        sa.Column("visit_id", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=26), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("result", sa.String(length=24), nullable=False),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["record_id"], ["register_record.record_id"], name=op.f("fk_record_visit_record_id_register_record")
        ),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_record_visit")),
    )
    op.create_index(op.f("ix_record_visit_record_id"), "record_visit", ["record_id"], unique=False)


def downgrade() -> None:
    op.drop_table("record_visit")
    op.drop_table("register_version")
    op.drop_table("register_record")
    op.drop_table("record_saved_view")
    op.drop_table("record_merge")
    op.drop_table("record_link")
    op.drop_table("record_import_run")
    op.drop_table("record_import_mapping")
    op.drop_table("record_gram")
    op.drop_table("record_event")
    op.drop_table("record_duplicate")
    op.drop_table("record_change_request")
    op.drop_table("record_blind")
    op.drop_table("record_access")
