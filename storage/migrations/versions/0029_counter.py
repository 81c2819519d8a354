"""Bundles of items, sealed answers of applications, queue and appointments of the counter.

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('application_answers',
    sa.Column('case_id', sa.String(length=26), nullable=False),
    sa.Column('bundle_id', sa.String(length=40), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('taken_by', sa.String(length=40), nullable=False),
    sa.Column('taken_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_application_answers'))
    )
    op.create_table('counter_ticket',
    sa.Column('ticket_id', sa.String(length=26), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('number', sa.String(length=12), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('slot', sa.String(length=5), nullable=False),
    sa.Column('item_id', sa.String(length=26), nullable=False),
    sa.Column('holder', sa.String(length=80), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('window', sa.String(length=12), nullable=False),
    sa.Column('case_id', sa.String(length=26), nullable=True),
    sa.Column('made_by', sa.String(length=40), nullable=False),
    sa.Column('made_at', UtcDateTime(), nullable=False),
    sa.Column('called_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_counter_ticket')),
    sa.UniqueConstraint('day', 'number', name=op.f('uq_counter_ticket_day_number'))
    )
    op.create_index('ix_counter_ticket_day', 'counter_ticket', ['day', 'state'], unique=False)
    op.create_table('item_bundle',
    sa.Column('bundle_id', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('zh', sa.String(length=120), nullable=False),
    sa.Column('en', sa.String(length=160), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('source', sa.String(length=80), nullable=False),
    sa.Column('updated_by', sa.String(length=40), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('bundle_id', name=op.f('pk_item_bundle'))
    )


def downgrade() -> None:
    op.drop_table('item_bundle')
    op.drop_index('ix_counter_ticket_day', table_name='counter_ticket')
    op.drop_table('counter_ticket')
    op.drop_table('application_answers')
