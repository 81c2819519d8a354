"""Requests for shared data sets, and who fetched what.

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('share_request',
    sa.Column('request_id', sa.String(length=26), nullable=False),
    sa.Column('dataset_id', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('purpose', sa.String(length=500), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('filters', sa.JSON(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('asked_by', sa.String(length=40), nullable=False),
    sa.Column('department_id', sa.String(length=40), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.String(length=40), nullable=True),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('key_sha256', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('request_id', name=op.f('pk_share_request'))
    )
    for column in ('dataset_id', 'state', 'key_sha256'):
        op.create_index(f'ix_share_request_{column}', 'share_request', [column])
    op.create_table('share_access',
    sa.Column('access_id', sa.String(length=26), nullable=False),
    sa.Column('request_id', sa.String(length=26), nullable=False),
    sa.Column('dataset_id', sa.String(length=40), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(length=60), nullable=False),
    sa.Column('outcome', sa.String(length=24), nullable=False),
    sa.PrimaryKeyConstraint('access_id', name=op.f('pk_share_access'))
    )
    for column in ('request_id', 'dataset_id'):
        op.create_index(f'ix_share_access_{column}', 'share_access', [column])


def downgrade() -> None:
    op.drop_table('share_access')
    op.drop_table('share_request')
