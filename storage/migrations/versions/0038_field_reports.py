"""Nightly reports of how well cameras see.

Revision: 0038, after 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('field_report', sa.Column('night', sa.Date(), nullable=False),
    sa.Column('camera_id', sa.String(length=120), nullable=False),
    sa.Column('algorithm', sa.String(length=40), nullable=False), sa.Column('body', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('night', 'camera_id', 'algorithm', name=op.f('pk_field_report')))


def downgrade() -> None:
    op.drop_table('field_report')
