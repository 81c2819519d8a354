"""The library of drone routes.

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('drone_wayline',
    sa.Column('wayline_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('drone_model_key', sa.String(length=24), nullable=False),
    sa.Column('payload_model_keys', sa.JSON(), nullable=False),
    sa.Column('template_types', sa.JSON(), nullable=False),
    sa.Column('favorited', sa.Boolean(), nullable=False),
    sa.Column('user_name', sa.String(length=80), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('wayline_id', name=op.f('pk_drone_wayline')),
    sa.UniqueConstraint('name', name=op.f('uq_drone_wayline_name'))
    )
    op.create_index(op.f('ix_drone_wayline_updated_at'), 'drone_wayline', ['updated_at'])


def downgrade() -> None:
    op.drop_table('drone_wayline')
