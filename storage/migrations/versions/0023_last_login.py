"""When and from where an account was last used, shown at the next login.

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("last_login_at", UtcDateTime(), nullable=True))
    op.add_column("user_account", sa.Column("last_login_address", sa.String(length=60), nullable=True))
    op.add_column("login_session", sa.Column("previous_login_at", UtcDateTime(), nullable=True))
    op.add_column("login_session", sa.Column("previous_login_address", sa.String(length=60), nullable=True))


def downgrade() -> None:
    for table, column in (
        ("login_session", "previous_login_address"), ("login_session", "previous_login_at"),
        ("user_account", "last_login_address"), ("user_account", "last_login_at"),
    ):  # fmt: skip
        op.drop_column(table, column)
