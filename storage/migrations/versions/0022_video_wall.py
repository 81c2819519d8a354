"""Video walls, tours and the log of views.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('video_layout',
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('user_id', 'name', name=op.f('pk_video_layout'))
    )
    op.create_table('video_tour',
    sa.Column('tour_id', sa.String(length=26), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('made_by', sa.String(length=40), nullable=False),
    sa.Column('made_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('tour_id', name=op.f('pk_video_tour'))
    )
    op.create_table('video_view',
    sa.Column('view_id', sa.String(length=26), nullable=False),
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('camera_id', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('tour_id', sa.String(length=26), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('seconds', sa.Float(precision=53), nullable=True),
    sa.PrimaryKeyConstraint('view_id', name=op.f('pk_video_view'))
    )
    op.create_index('ix_video_view_camera_at', 'video_view', ['camera_id', 'at'])
    op.create_index('ix_video_view_user_at', 'video_view', ['user_id', 'at'])


def downgrade() -> None:
    op.drop_table('video_view')
    op.drop_table('video_tour')
    op.drop_table('video_layout')
