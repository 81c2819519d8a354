"""Invitations by one-time code, and the passwords that people had.

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('invitation',
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('created_by', sa.String(length=40), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('used_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f('fk_invitation_user_id_user_account')),
    sa.PrimaryKeyConstraint('code_hash', name=op.f('pk_invitation'))
    )
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitation_user_id'), ['user_id'], unique=False)

    op.create_table('password_history',
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f('fk_password_history_user_id_user_account')),
    sa.PrimaryKeyConstraint('user_id', 'changed_at', name=op.f('pk_password_history'))
    )


def downgrade() -> None:
    op.drop_table('password_history')
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invitation_user_id'))

    op.drop_table('invitation')
