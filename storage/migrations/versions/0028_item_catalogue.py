"""The catalogue of service items: versions, check runs, problems.

Revision: 0028, after 0027
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('item_check_run',
    sa.Column('run_id', sa.String(length=26), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=40), nullable=False),
    sa.Column('rules', sa.String(length=40), nullable=False),
    sa.Column('items', sa.Integer(), nullable=False),
    sa.Column('found', sa.Integer(), nullable=False),
    sa.Column('new', sa.Integer(), nullable=False),
    sa.Column('fixed', sa.Integer(), nullable=False),
    sa.Column('seconds', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_item_check_run'))
    )
    op.create_table('item_problem',
    sa.Column('item_id', sa.String(length=26), nullable=False),
    sa.Column('element', sa.String(length=120), nullable=False),
    sa.Column('rule', sa.String(length=20), nullable=False),
    sa.Column('department_id', sa.String(length=40), nullable=False),
    sa.Column('severity', sa.String(length=8), nullable=False),
    sa.Column('message', sa.String(length=500), nullable=False),
    sa.Column('message_en', sa.String(length=500), nullable=False),
    sa.Column('remedy', sa.String(length=300), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('found_at', UtcDateTime(), nullable=False),
    sa.Column('due', sa.Date(), nullable=False),
    sa.Column('fixed_at', UtcDateTime(), nullable=True),
    sa.Column('decided_by', sa.String(length=40), nullable=False),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.PrimaryKeyConstraint('item_id', 'element', 'rule', name=op.f('pk_item_problem'))
    )
    op.create_index('ix_item_problem_department', 'item_problem', ['department_id', 'state', 'due'], unique=False)
    op.create_table('service_item',
    sa.Column('item_id', sa.String(length=26), nullable=False),
    sa.Column('level', sa.String(length=1), nullable=False),
    sa.Column('department_id', sa.String(length=40), nullable=False),
    sa.Column('parent_id', sa.String(length=26), nullable=True),
    sa.Column('parent_version', sa.Integer(), nullable=False),
    sa.Column('answer_due', sa.Date(), nullable=True),
    sa.Column('basic', sa.String(length=50), nullable=False),
    sa.Column('code', sa.String(length=60), nullable=False),
    sa.Column('name', sa.String(length=300), nullable=False),
    sa.Column('pinyin', sa.String(length=120), nullable=False),
    sa.Column('initials', sa.String(length=40), nullable=False),
    sa.Column('task_type', sa.String(length=2), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('head', sa.Integer(), nullable=False),
    sa.Column('live', sa.Integer(), nullable=False),
    sa.Column('blocking', sa.Integer(), nullable=False),
    sa.Column('warnings', sa.Integer(), nullable=False),
    sa.Column('frequent', sa.Integer(), nullable=False),
    sa.Column('locked', sa.JSON(), nullable=False),
    sa.Column('source', sa.String(length=80), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('item_id', name=op.f('pk_service_item')),
    sa.UniqueConstraint('code', name=op.f('uq_service_item_code'))
    )
    op.create_index(op.f('ix_service_item_basic'), 'service_item', ['basic'], unique=False)
    op.create_index('ix_service_item_department', 'service_item', ['department_id', 'name'], unique=False)
    op.create_index('ix_service_item_name', 'service_item', ['name'], unique=False)
    op.create_index(op.f('ix_service_item_parent_id'), 'service_item', ['parent_id'], unique=False)
    op.create_table('service_item_version',
    sa.Column('item_id', sa.String(length=26), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('made_by', sa.String(length=40), nullable=False),
    sa.Column('made_at', UtcDateTime(), nullable=False),
    sa.Column('source', sa.String(length=80), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('reviewed_by', sa.String(length=40), nullable=False),
    sa.Column('reviewed_at', UtcDateTime(), nullable=True),
    sa.Column('review_note', sa.String(length=500), nullable=False),
    sa.Column('published_at', UtcDateTime(), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('duty_number', sa.String(length=50), nullable=False),
    sa.PrimaryKeyConstraint('item_id', 'version', name=op.f('pk_service_item_version'))
    )
    op.create_index(op.f('ix_service_item_version_state'), 'service_item_version', ['state'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_service_item_version_state'), table_name='service_item_version')
    op.drop_table('service_item_version')
    op.drop_index(op.f('ix_service_item_parent_id'), table_name='service_item')
    op.drop_index('ix_service_item_name', table_name='service_item')
    op.drop_index('ix_service_item_department', table_name='service_item')
    op.drop_index(op.f('ix_service_item_basic'), table_name='service_item')
    op.drop_table('service_item')
    op.drop_index('ix_item_problem_department', table_name='item_problem')
    op.drop_table('item_problem')
    op.drop_table('item_check_run')
