"""Runs of connections as lineage.

Revision: 0033, after 0032
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lineage_run',
    sa.Column('run_id', sa.String(length=26), nullable=False),
    sa.Column('job', sa.String(length=80), nullable=False),
    sa.Column('namespace', sa.String(length=24), nullable=False),
    sa.Column('given', sa.String(length=200), nullable=False),
    sa.Column('target', sa.String(length=80), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(length=500), nullable=False),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_lineage_run'))
    )
    for column in ('job', 'ended_at'):
        op.create_index(f'ix_lineage_run_{column}', 'lineage_run', [column])


def downgrade() -> None:
    op.drop_table('lineage_run')
