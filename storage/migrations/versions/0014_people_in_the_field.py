"""Who is on duty, and where, as long as they agree.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('duty_status',
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('on_duty', sa.Boolean(), nullable=False),
    sa.Column('consent', sa.Boolean(), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f('fk_duty_status_user_id_user_account')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_duty_status'))
    )
    op.create_table('user_position',
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('lon', sa.Double(), nullable=False),
    sa.Column('lat', sa.Double(), nullable=False),
    sa.Column('accuracy_m', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f('fk_user_position_user_id_user_account')),
    sa.PrimaryKeyConstraint('user_id', 'at', name=op.f('pk_user_position'))
    )
    with op.batch_alter_table('user_position', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_user_position_at'), ['at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('user_position', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_user_position_at'))

    op.drop_table('user_position')
    op.drop_table('duty_status')
