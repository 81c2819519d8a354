"""Supervision campaigns and their visits.

Revision: 0037, after 0036
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def _text(name, length, null=False):
    return sa.Column(name, sa.String(length=length), nullable=null)


def upgrade() -> None:
    op.create_table('campaign', _text('campaign_id', 26), sa.Column('body', sa.JSON(), nullable=False),
    _text('department_id', 40), sa.Column('due', sa.Date(), nullable=False), _text('state', 8),
    sa.Column('made_at', UtcDateTime(), nullable=False), _text('made_by', 40),
    sa.PrimaryKeyConstraint('campaign_id', name=op.f('pk_campaign')))
    op.create_table('campaign_visit', _text('visit_id', 26), _text('campaign_id', 26), _text('record_id', 26, True),
    _text('name', 200), _text('address', 200), _text('division_code', 12), _text('state', 8),
    sa.Column('answers', sa.JSON(), nullable=False), sa.Column('problems', sa.JSON(), nullable=False),
    _text('note', 500), sa.Column('visited_at', UtcDateTime(), nullable=True), _text('visited_by', 40),
    _text('case_id', 26, True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.campaign_id'],
                            name=op.f('fk_campaign_visit_campaign_id_campaign')),
    sa.PrimaryKeyConstraint('visit_id', name=op.f('pk_campaign_visit')),
    sa.UniqueConstraint('campaign_id', 'record_id', name=op.f('uq_campaign_visit_campaign_id_record_id')))
    op.create_index(op.f('ix_campaign_visit_campaign_id'), 'campaign_visit', ['campaign_id'])


def downgrade() -> None:
    for table in ('campaign_visit', 'campaign'):
        op.drop_table(table)
