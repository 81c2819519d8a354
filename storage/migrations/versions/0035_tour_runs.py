"""The log of video tours.

Revision: 0035, after 0034
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "video_tour_run",
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("tour_id", sa.String(length=26), nullable=False),
        sa.Column("tour_name", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_video_tour_run")),
    )
    op.create_index("ix_video_tour_run_started_at", "video_tour_run", ["started_at"])
    op.create_index("ix_video_tour_run_tour_id", "video_tour_run", ["tour_id", "started_at"])


def downgrade() -> None:
    op.drop_table("video_tour_run")
