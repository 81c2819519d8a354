"""People without an account, their codes and ratings; identities of providers and passkeys of accounts.

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op
from storage.outside import make_functions
from storage.schema import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('person',
    sa.Column('person_id', sa.String(length=26), nullable=False),
    sa.Column('shown_name', sa.String(length=80), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('phone_blind', sa.LargeBinary(length=16), nullable=True),
    sa.Column('number_blind', sa.LargeBinary(length=16), nullable=True),
    sa.Column('verified_by', sa.String(length=40), nullable=False),
    sa.Column('verified_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('last_seen_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_person')),
    sa.UniqueConstraint('number_blind', name=op.f('uq_person_number_blind')),
    sa.UniqueConstraint('phone_blind', name=op.f('uq_person_phone_blind'))
    )
    op.create_table('external_identity',
    sa.Column('identity_id', sa.String(length=26), nullable=False),
    sa.Column('issuer', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('shown_name', sa.String(length=80), nullable=False),
    sa.Column('bound_by', sa.String(length=40), nullable=False),
    sa.Column('bound_at', UtcDateTime(), nullable=False),
    sa.Column('last_used_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f('fk_external_identity_user_id_user_account')),
    sa.PrimaryKeyConstraint('identity_id', name=op.f('pk_external_identity')),
    sa.UniqueConstraint('issuer', 'subject', name=op.f('uq_external_identity_issuer_subject'))
    )
    with op.batch_alter_table('external_identity', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_external_identity_user_id'), ['user_id'], unique=False)

    op.create_table('passkey',
    sa.Column('credential_id', sa.String(length=400), nullable=False),
    sa.Column('user_id', sa.String(length=40), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('last_used_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f('fk_passkey_user_id_user_account')),
    sa.PrimaryKeyConstraint('credential_id', name=op.f('pk_passkey'))
    )
    with op.batch_alter_table('passkey', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkey_user_id'), ['user_id'], unique=False)

    op.create_table('case_rating',
    sa.Column('rating_id', sa.String(length=32), nullable=False),
    sa.Column('case_id', sa.String(length=26), nullable=False),
    sa.Column('stars', sa.Integer(), nullable=False),
    sa.Column('reasons', sa.JSON(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('department_id', sa.String(length=40), nullable=False),
    sa.Column('by_link', sa.String(length=26), nullable=False),
    sa.Column('rated_at', UtcDateTime(), nullable=False),
    sa.Column('bad_case_id', sa.String(length=26), nullable=True),
    sa.Column('counted', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['case_file.case_id'], name=op.f('fk_case_rating_case_id_case_file')),
    sa.PrimaryKeyConstraint('rating_id', name=op.f('pk_case_rating')),
    sa.UniqueConstraint('case_id', name=op.f('uq_case_rating_case_id'))
    )
    with op.batch_alter_table('case_rating', schema=None) as batch_op:
        batch_op.create_index('ix_case_rating_bad_case_id', ['bad_case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_case_rating_rated_at'), ['rated_at'], unique=False)

    op.create_table('link_token',
    sa.Column('link_id', sa.String(length=26), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=12), nullable=False),
    sa.Column('case_id', sa.String(length=26), nullable=True),
    sa.Column('subject_id', sa.String(length=26), nullable=True),
    sa.Column('person_id', sa.String(length=26), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('uses_left', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('created_by', sa.String(length=40), nullable=False),
    sa.Column('until', UtcDateTime(), nullable=False),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.Column('last_used_at', UtcDateTime(), nullable=True),
    sa.Column('view', sa.JSON(), nullable=False),
    sa.Column('case_version', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['case_file.case_id'], name=op.f('fk_link_token_case_id_case_file')),
    sa.ForeignKeyConstraint(['person_id'], ['person.person_id'], name=op.f('fk_link_token_person_id_person')),
    sa.PrimaryKeyConstraint('link_id', name=op.f('pk_link_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_link_token_token_hash'))
    )
    with op.batch_alter_table('link_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_token_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_link_token_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_link_token_until'), ['until'], unique=False)

    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('method', sa.String(length=12), server_default='password', nullable=False))
        batch_op.add_column(sa.Column('confirmed_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('issuer', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('provider_session', sa.String(length=120), server_default='', nullable=False))
        batch_op.create_index(batch_op.f('ix_login_session_provider_session'), ['provider_session'], unique=False)
    make_functions(op.get_bind(), links=True)


def downgrade() -> None:
    make_functions(op.get_bind())
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_login_session_provider_session'))
        batch_op.drop_column('provider_session')
        batch_op.drop_column('issuer')
        batch_op.drop_column('confirmed_at')
        batch_op.drop_column('method')

    with op.batch_alter_table('link_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_link_token_until'))
        batch_op.drop_index(batch_op.f('ix_link_token_person_id'))
        batch_op.drop_index(batch_op.f('ix_link_token_case_id'))

    op.drop_table('link_token')
    with op.batch_alter_table('case_rating', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_case_rating_rated_at'))
        batch_op.drop_index('ix_case_rating_bad_case_id')

    op.drop_table('case_rating')
    with op.batch_alter_table('passkey', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_passkey_user_id'))

    op.drop_table('passkey')
    with op.batch_alter_table('external_identity', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_external_identity_user_id'))

    op.drop_table('external_identity')
    op.drop_table('person')
