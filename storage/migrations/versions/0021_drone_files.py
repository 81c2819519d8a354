"""Flights of drones and their files.

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('drone_flight',
    sa.Column('flight_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('aircraft', sa.String(length=80), nullable=False),
    sa.Column('owner', sa.String(length=80), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('flight_id', name=op.f('pk_drone_flight'))
    )
    op.create_table('drone_file',
    sa.Column('file_id', sa.String(length=40), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('flight_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('media_type', sa.String(length=80), nullable=False),
    sa.Column('uri', sa.String(length=200), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('camera', sa.String(length=80), nullable=False),
    sa.Column('taken_at', UtcDateTime(), nullable=True),
    sa.Column('position', sa.JSON(), nullable=False),
    sa.Column('place', sa.JSON(), nullable=False),
    sa.Column('centre_lon', sa.Double(), nullable=True),
    sa.Column('centre_lat', sa.Double(), nullable=True),
    sa.Column('problems', sa.JSON(), nullable=False),
    sa.Column('placed_by', sa.String(length=80), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['flight_id'], ['drone_flight.flight_id'], name=op.f('fk_drone_file_flight_id_drone_flight')),
    sa.PrimaryKeyConstraint('file_id', name=op.f('pk_drone_file')),
    sa.UniqueConstraint('sha256', name=op.f('uq_drone_file_sha256'))
    )
    for table, column in (('drone_flight', 'owner'), ('drone_flight', 'created_at'), ('drone_file', 'flight_id'),
                          ('drone_file', 'taken_at'), ('drone_file', 'centre_lon'), ('drone_file', 'created_at')):
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column])


def downgrade() -> None:
    op.drop_table('drone_file')
    op.drop_table('drone_flight')
