"""The outside door: what it may insert, and what it reads by a code.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op
from storage.outside import grant, make_functions
from storage.schema import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('outside_page',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_outside_page'))
    )
    op.create_table('outside_request',
    sa.Column('request_id', sa.String(length=32), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=True),
    sa.Column('language', sa.String(length=5), server_default='zh', nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=12), server_default='new', nullable=False),
    sa.Column('view', sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('own', sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('phone_blind', sa.LargeBinary(), nullable=True),
    sa.Column('observation_id', sa.String(length=26), nullable=True),
    sa.Column('case_id', sa.String(length=26), nullable=True),
    sa.Column('case_version', sa.Integer(), nullable=True),
    sa.Column('expires_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('request_id', name=op.f('pk_outside_request')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_outside_request_token_hash'))
    )
    for columns in (['created_at'], ['phone_blind'], ['case_id'], ['expires_at'], ['state', 'created_at']):
        op.create_index(op.f('ix_outside_request_' + '_'.join(columns)), 'outside_request', columns)
    make_functions(op.get_bind())
    grant(op.get_bind())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS outside_read(text)")
        op.execute("DROP FUNCTION IF EXISTS outside_page(text)")
    op.drop_table('outside_request')
    op.drop_table('outside_page')
