"""Filters of case lists that a person keeps.

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('case_saved_filter',
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('user_id', 'name', name=op.f('pk_case_saved_filter'))
    )


def downgrade() -> None:
    op.drop_table('case_saved_filter')
