"""Named templates of cameras' algorithms; English names of cameras and devices.

Revision: 0043, after 0042
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "camera_template",
        sa.Column("template_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("algorithms", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_camera_template")),
    )
    for table in ("camera", "device"):
        op.add_column(table, sa.Column("name_en", sa.String(length=160), nullable=True))


def downgrade() -> None:
    for table in ("camera", "device"):
        op.drop_column(table, "name_en")
    op.drop_table("camera_template")
