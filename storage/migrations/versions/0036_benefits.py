"""Benefits without application: switches, grants, refusals and the payers' lists.

Revision: 0036, after 0035
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def _text(name, length, null=False):
    return sa.Column(name, sa.String(length=length), nullable=null)


def _moment(name, null=True):
    return sa.Column(name, UtcDateTime(), nullable=null)


def upgrade() -> None:
    op.create_table('benefit_switch', _text('benefit_id', 40), _text('state', 8), _text('digest', 16),
    sa.Column('simulation', sa.JSON(), nullable=False), _moment('simulated_at'), _text('simulated_by', 40),
    _text('asked_by', 40), _moment('asked_at'), _text('reason', 500), _text('decided_by', 40), _moment('decided_at'),
    sa.Column('evaluated_on', sa.Date(), nullable=True), _moment('evaluated_at'), _text('seen_event', 26),
    _text('seen_record', 26), sa.PrimaryKeyConstraint('benefit_id', name=op.f('pk_benefit_switch')))
    op.create_table('benefit_grant', _text('grant_id', 26), _text('benefit_id', 40), _text('record_id', 26),
    sa.Column('record_version', sa.Integer(), nullable=False), _text('period', 7), _text('digest', 16),
    sa.Column('day', sa.Date(), nullable=False), sa.Column('amount', sa.Double(), nullable=False),
    sa.Column('why', sa.JSON(), nullable=False), _text('state', 12), _text('case_id', 26, True),
    _moment('made_at', False), _moment('changed_at', False),
    sa.PrimaryKeyConstraint('grant_id', name=op.f('pk_benefit_grant')),
    sa.UniqueConstraint('benefit_id', 'period', 'record_id', name=op.f('uq_benefit_grant_benefit_id_period_record_id')))
    op.create_index('ix_benefit_grant_state', 'benefit_grant', ['benefit_id', 'period', 'state'])
    for column in ('record_id', 'case_id'):
        op.create_index(op.f(f'ix_benefit_grant_{column}'), 'benefit_grant', [column])
    op.create_table('benefit_refusal', _text('refusal_id', 26), _text('benefit_id', 40), _text('record_id', 26),
    _text('reason', 500), _text('channel', 16), _moment('at', False), _text('by', 40), _moment('ended_at'),
    _text('ended_by', 40), _text('ended_reason', 500),
    sa.PrimaryKeyConstraint('refusal_id', name=op.f('pk_benefit_refusal')))
    op.create_index(op.f('ix_benefit_refusal_record_id'), 'benefit_refusal', ['record_id'])
    op.create_table('benefit_file', _text('benefit_id', 40), _text('period', 7), _text('state', 8),
    _moment('opened_at', False), _moment('closed_at'), _moment('handed_at'), _text('handed_by', 40),
    sa.PrimaryKeyConstraint('benefit_id', 'period', name=op.f('pk_benefit_file')))


def downgrade() -> None:
    for table in ('benefit_file', 'benefit_refusal', 'benefit_grant', 'benefit_switch'):
        op.drop_table(table)
