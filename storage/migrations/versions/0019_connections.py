"""Connections to other platforms, their versions, and the orders that came over them.

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('connection',
    sa.Column('connection_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('direction', sa.String(length=4), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('secret_names', sa.JSON(), nullable=False),
    sa.Column('key_sha256', sa.String(length=64), nullable=False),
    sa.Column('account', sa.String(length=40), nullable=False),
    sa.Column('department_id', sa.String(length=40), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.Column('updated_by', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('connection_id', name=op.f('pk_connection'))
    )
    op.create_table('connection_version',
    sa.Column('connection_id', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.Column('saved_by', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.connection_id'], name=op.f('fk_connection_version_connection_id_connection')),
    sa.PrimaryKeyConstraint('connection_id', 'version', name=op.f('pk_connection_version'))
    )
    op.create_table('exchange_order',
    sa.Column('connection_id', sa.String(length=40), nullable=False),
    sa.Column('number', sa.String(length=80), nullable=False),
    sa.Column('case_id', sa.String(length=26), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('error', sa.String(length=500), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('received_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('connection_id', 'number', name=op.f('pk_exchange_order'))
    )
    op.create_index('ix_exchange_order_case_id', 'exchange_order', ['case_id'])
    op.create_index('ix_exchange_order_state', 'exchange_order', ['state', 'received_at'])


def downgrade() -> None:
    op.drop_table('exchange_order')
    op.drop_table('connection_version')
    op.drop_table('connection')
