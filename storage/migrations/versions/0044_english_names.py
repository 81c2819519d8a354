"""English names of service items and filing units.

Revision: 0044, after 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("service_item", sa.Column("name_en", sa.String(length=300), nullable=True))
    op.add_column("filing_unit", sa.Column("name_en", sa.String(length=120), nullable=True))


def downgrade() -> None:
    op.drop_column("filing_unit", "name_en")
    op.drop_column("service_item", "name_en")
