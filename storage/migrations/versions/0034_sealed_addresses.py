"""Room for the sealed addresses of cameras.

Revision: 0034, after 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _resize(500, 800)


def downgrade() -> None:
    _resize(800, 500)


def _resize(before: int, after: int) -> None:
    with op.batch_alter_table("camera") as batch:
        for name in ("url", "sub_url"):
            batch.alter_column(
                name, existing_type=sa.String(before), type_=sa.String(after), existing_nullable=False
            )
