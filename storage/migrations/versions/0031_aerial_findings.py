"""Findings in pictures of drones.

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('aerial_look',
    sa.Column('file_id', sa.String(length=40), nullable=False),
    sa.Column('looked_at', UtcDateTime(), nullable=False),
    sa.Column('seconds', sa.Double(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('problem', sa.String(length=300), nullable=False),
    sa.Column('reviewed_by', sa.String(length=80), nullable=False),
    sa.Column('reviewed_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['file_id'], ['drone_file.file_id'], name=op.f('fk_aerial_look_file_id_drone_file')),
    sa.PrimaryKeyConstraint('file_id', name=op.f('pk_aerial_look'))
    )
    op.create_table('aerial_finding',
    sa.Column('finding_id', sa.String(length=26), nullable=False),
    sa.Column('flight_id', sa.String(length=40), nullable=False),
    sa.Column('file_id', sa.String(length=40), nullable=False),
    sa.Column('thing_id', sa.String(length=26), nullable=False),
    sa.Column('name', sa.String(length=24), nullable=False),
    sa.Column('box', sa.JSON(), nullable=False),
    sa.Column('confidence', sa.Double(), nullable=False),
    sa.Column('model', sa.String(length=60), nullable=False),
    sa.Column('model_sha256', sa.String(length=64), nullable=False),
    sa.Column('lon', sa.Double(), nullable=True),
    sa.Column('lat', sa.Double(), nullable=True),
    sa.Column('uncertainty_m', sa.Double(), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('judged_by', sa.String(length=80), nullable=False),
    sa.Column('judged_at', UtcDateTime(), nullable=True),
    sa.Column('reported_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['drone_file.file_id'], name=op.f('fk_aerial_finding_file_id_drone_file')),
    sa.ForeignKeyConstraint(['flight_id'], ['drone_flight.flight_id'],
                            name=op.f('fk_aerial_finding_flight_id_drone_flight')),
    sa.PrimaryKeyConstraint('finding_id', name=op.f('pk_aerial_finding'))
    )
    for column in ('flight_id', 'file_id', 'thing_id', 'state', 'created_at'):
        op.create_index(f'ix_aerial_finding_{column}', 'aerial_finding', [column])


def downgrade() -> None:
    op.drop_table('aerial_finding')
    op.drop_table('aerial_look')
