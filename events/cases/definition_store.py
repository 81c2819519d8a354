"""Which version of a definition a case runs by: the one it began with, kept in the table while cases need it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy.orm import Session

from events.cases.definition import Definition
from events.cases.definition_check import read_stored, shipped_definitions
from events.cases.errors import DefinitionInvalid
from storage.tables.cases import Case, CaseDefinition


def sync_definitions(session: Session) -> list[DefinitionInvalid]:
    """Keep the shipped definitions in the table; one that changed without a new version is a problem, no change."""
    problems = []
    for definition in shipped_definitions().values():
        if not keep_definition(session, definition):
            detail = f"version {definition.version} differs from the one cases began with; give it a new version"
            problems.append(DefinitionInvalid(definition=definition.definition_id, detail=detail))
    session.flush()
    return problems


def keep_definition(session: Session, definition: Definition) -> bool:
    """Store a definition that is not there yet; False when another one has its id and version."""
    body = msgspec.json.decode(msgspec.json.encode(definition))
    row = session.get(CaseDefinition, (definition.definition_id, definition.version))
    if row is not None:
        return bool(row.body == body)
    session.add(
        CaseDefinition(
            definition_id=definition.definition_id,
            version=definition.version,
            name=definition.name.get("zh", definition.definition_id),
            body=body,
        )
    )
    return True


def definition_of(session: Session, case: Case, current: Mapping[str, Definition]) -> Definition:
    """The definition that ``case`` began with."""
    found = current.get(case.definition_id)
    if found is not None and found.version == case.definition_version:
        return found
    row = session.get(CaseDefinition, (case.definition_id, case.definition_version))
    if row is not None:
        return read_stored(row.body)
    if found is not None:
        return found  # never stored (a test, an import): the current one is the best there is
    raise DefinitionInvalid(definition=case.definition_id, detail=f"version {case.definition_version} is not known")
