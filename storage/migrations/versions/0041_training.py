"""Exams with their attempts, tours that were seen, drills started in the browser.

Revision: 0041, after 0040
"""

import sqlalchemy as sa
from alembic import op
from storage.schema import UtcDateTime

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def _text(name, length, null=False):
    return sa.Column(name, sa.String(length=length), nullable=null)


def _json(name):
    return sa.Column(name, sa.JSON(), nullable=False)


def _at(name, null=False):
    return sa.Column(name, UtcDateTime(), nullable=null)


def _number(name, kind=sa.Float):
    return sa.Column(name, kind(), nullable=False)


def _user(table):
    return sa.ForeignKeyConstraint(['user_id'], ['user_account.user_id'], name=op.f(f'fk_{table}_user_id_user_account'))


def upgrade() -> None:
    op.create_table('exam_version', _text('exam_id', 40), _number('version', sa.Integer), _text('digest', 64),
    _json('body'), _text('source', 80), _number('closed', sa.Boolean), _at('taken_at'), _text('taken_by', 40),
    sa.PrimaryKeyConstraint('exam_id', 'version', name=op.f('pk_exam_version')))
    op.create_table('exam_attempt', _text('attempt_id', 26), _text('exam_id', 40), _number('version', sa.Integer),
    _text('user_id', 40), _json('questions'), _json('answers'), _at('started_at'), _at('until', True),
    _at('ended_at', True), _number('points'), _number('out_of'), _number('percent'), _number('passed', sa.Boolean),
    _json('lines'), _user('exam_attempt'), sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_exam_attempt')))
    op.create_index(op.f('ix_exam_attempt_user_id'), 'exam_attempt', ['user_id'])
    op.create_index('ix_exam_attempt_exam_user', 'exam_attempt', ['exam_id', 'user_id'])
    op.create_table('tour_seen', _text('user_id', 40), _text('tour_id', 60), _text('digest', 16),
    _number('skipped', sa.Boolean), _at('at'), _user('tour_seen'),
    sa.PrimaryKeyConstraint('user_id', 'tour_id', name=op.f('pk_tour_seen')))
    op.create_table('drill_run', _text('drill_id', 24), _text('title', 100), _at('since'), _at('until'),
    _number('speed'), _text('state', 8), _at('started_at'), _text('started_by', 40), _at('ended_at', True),
    _text('told', 300), _json('report'), sa.PrimaryKeyConstraint('drill_id', name=op.f('pk_drill_run')))
    op.create_table('drill_answer', _text('drill_id', 24), _text('user_id', 40), _text('case_id', 26),
    _at('shown_at'), _at('answered_at', True), _text('department_id', 40), _number('false_alarm', sa.Boolean),
    _text('right_department', 40), _number('right_false_alarm', sa.Boolean), _number('severity', sa.Integer),
    _number('points'), _user('drill_answer'),
    sa.ForeignKeyConstraint(['drill_id'], ['drill_run.drill_id'], name=op.f('fk_drill_answer_drill_id_drill_run')),
    sa.PrimaryKeyConstraint('drill_id', 'user_id', 'case_id', name=op.f('pk_drill_answer')))


def downgrade() -> None:
    for table in ('drill_answer', 'drill_run', 'tour_seen', 'exam_attempt', 'exam_version'):
        op.drop_table(table)
