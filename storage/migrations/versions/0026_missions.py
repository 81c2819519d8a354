"""Missions of the drone team.

Revision: 0026, after 0025
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('drone_mission',
    sa.Column('mission_id', sa.String(length=40), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('purpose', sa.String(length=24), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('case_id', sa.String(length=26), nullable=True),
    sa.Column('area', sa.JSON(), nullable=False),
    sa.Column('plan', sa.JSON(), nullable=False),
    sa.Column('pilot', sa.String(length=80), nullable=False),
    sa.Column('aircraft', sa.String(length=80), nullable=False),
    sa.Column('permit', sa.String(length=80), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('starts_at', UtcDateTime(), nullable=True),
    sa.Column('ends_at', UtcDateTime(), nullable=True),
    sa.Column('requested_by', sa.String(length=80), nullable=False),
    sa.Column('requested_at', UtcDateTime(), nullable=False),
    sa.Column('verdict', sa.String(length=12), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('answered_by', sa.String(length=80), nullable=False),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('flights', sa.JSON(), nullable=False),
    sa.Column('pictures', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['case_file.case_id'], name=op.f('fk_drone_mission_case_id_case_file')),
    sa.PrimaryKeyConstraint('mission_id', name=op.f('pk_drone_mission'))
    )
    for column in ('state', 'case_id', 'requested_at'):
        op.create_index(op.f(f'ix_drone_mission_{column}'), 'drone_mission', [column])


def downgrade() -> None:
    op.drop_table('drone_mission')
