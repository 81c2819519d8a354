"""A second factor at the login.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('second_factor',
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('secret', sa.String(length=200), nullable=False),
    sa.Column('confirmed_at', UtcDateTime(), nullable=True),
    sa.Column('last_step', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f('fk_second_factor_user_id_user_account')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_second_factor'))
    )


def downgrade() -> None:
    op.drop_table('second_factor')
