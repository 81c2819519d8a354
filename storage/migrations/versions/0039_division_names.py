"""English names of divisions.

Revision: 0039, after 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('division', sa.Column('name_en', sa.String(length=120), nullable=True))


def downgrade() -> None:
    op.drop_column('division', 'name_en')
