"""The case engine on PostgreSQL: the same behaviour, the same numbers, one winner in every race."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text

from storage.migrate import migrate
from storage.schema import full_metadata
from storage.session import make_engine
from tests.unit.events import test_indicators, test_plans, test_service
from tests.unit.events.casework import Town
from tests.unit.events.evidence import test_audit
from tests.unit.events.workshop import test_drafts

pytestmark = pytest.mark.postgres

BEHAVIOUR: tuple[Callable[[Town], None], ...] = (
    test_service.test_the_happy_path,
    test_service.test_a_resent_command_moves_once,
    test_service.test_merge_and_unmerge_leave_no_trace_but_history,
    test_service.test_lists_page_and_filter,
    test_service.test_case_numbers_with_many_writers,
    test_service.test_one_report_sent_by_many_hands_at_once_is_one_case,
    test_service.test_texts_that_are_none_are_refused,
    test_service.test_mediation_is_for_the_parties_and_the_mediators_alone,
    test_service.test_who_sees_what,
    test_indicators.test_plain_rates,
    test_indicators.test_every_number_has_its_cases,
    test_indicators.test_handing_back_at_the_deadline_does_not_help,
    test_indicators.test_splitting_a_case_does_not_multiply_the_score,
    test_indicators.test_extension_suspension_rework_bounce,
    test_audit.test_a_changed_or_removed_transition_is_found,
)


@pytest.fixture(scope="module")
def migrated(postgres_server: str) -> Iterator[Engine]:
    """One migrated database for all tests here: migrating takes longer than most of them."""
    name = f"cases_{os.urandom(6).hex()}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    with psycopg.connect(f"{postgres_server}/{name}", autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    migrate(f"{postgres_server}/{name}")
    engine = make_engine(f"{postgres_server}/{name}")
    yield engine
    engine.dispose()
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def engine(migrated: Engine) -> Engine:
    names = ", ".join(f'"{table.name}"' for table in full_metadata().sorted_tables)
    with migrated.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} CASCADE"))
    return migrated


@pytest.mark.parametrize("behaviour", BEHAVIOUR, ids=lambda f: f.__name__)
def test_behaves_as_on_sqlite(engine: Engine, behaviour: Callable[[Town], None]) -> None:
    behaviour(Town(engine))


def test_two_buttons_at_once(engine: Engine) -> None:
    test_service.race(Town(engine), 20)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_two_buttons_at_once_ten_thousand_times(engine: Engine) -> None:
    test_service.race(Town(engine), 10_000)


def test_two_people_publishing_a_kind_at_one_moment(engine: Engine) -> None:
    test_drafts.test_two_people_publishing_at_one_moment(engine)


def test_plans_and_roster(engine: Engine) -> None:
    town = Town(engine)
    test_plans.test_the_roster_knows_substitutes_and_hand_over(town)
