"""Verifications of e-licences.

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('licence_check',
    sa.Column('check_id', sa.String(length=26), nullable=False),
    sa.Column('identifier', sa.String(length=120), nullable=False),
    sa.Column('connection_id', sa.String(length=40), nullable=False),
    sa.Column('case_id', sa.String(length=26), nullable=True),
    sa.Column('valid', sa.Boolean(), nullable=False),
    sa.Column('problems', sa.JSON(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('holder', sa.String(length=200), nullable=False),
    sa.Column('issuer', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('issued', sa.Date(), nullable=True),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('link', sa.String(length=500), nullable=False),
    sa.Column('checked_by', sa.String(length=40), nullable=False),
    sa.Column('checked_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('check_id', name=op.f('pk_licence_check'))
    )
    for column in ('identifier', 'case_id', 'checked_at'):
        op.create_index(f'ix_licence_check_{column}', 'licence_check', [column])


def downgrade() -> None:
    op.drop_table('licence_check')
