"""Boards edited in the browser, and what checks found.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('board_version',
    sa.Column('board_id', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.Column('saved_by', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('board_id', 'version', name=op.f('pk_board_version'))
    )
    op.create_table('check_finding',
    sa.Column('check_id', sa.String(length=60), nullable=False),
    sa.Column('subject', sa.String(length=120), nullable=False),
    sa.Column('found_at', UtcDateTime(), nullable=False),
    sa.Column('gone_at', UtcDateTime(), nullable=True),
    sa.Column('case_id', sa.String(length=26), nullable=True),
    sa.Column('detail', sa.String(length=400), nullable=False),
    sa.PrimaryKeyConstraint('check_id', 'subject', name=op.f('pk_check_finding'))
    )


def downgrade() -> None:
    op.drop_table('check_finding')
    op.drop_table('board_version')
