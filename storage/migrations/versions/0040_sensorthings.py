"""Entities that SensorThings clients create.

Revision: 0040, after 0039
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def _text(name, length, null=False):
    return sa.Column(name, sa.String(length=length), nullable=null)


def upgrade() -> None:
    op.create_table('sensorthings_entity', _text('kind', 24), _text('key', 160), _text('device_id', 120, True),
    sa.Column('data', sa.JSON(), nullable=False), _text('department_id', 40, True), _text('created_by', 40),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'key', name=op.f('pk_sensorthings_entity')))
    op.create_index(op.f('ix_sensorthings_entity_device_id'), 'sensorthings_entity', ['device_id'])
    op.create_table('sensorthings_link', _text('kind', 24), _text('key', 160), _text('to_kind', 24),
    _text('to_key', 160),
    sa.PrimaryKeyConstraint('kind', 'key', 'to_kind', 'to_key', name=op.f('pk_sensorthings_link')))
    op.create_index('ix_sensorthings_link_to', 'sensorthings_link', ['to_kind', 'to_key'])


def downgrade() -> None:
    for table in ('sensorthings_link', 'sensorthings_entity'):
        op.drop_table(table)
