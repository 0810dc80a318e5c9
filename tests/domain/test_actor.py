"""Who may do what: everything is forbidden but what the table permits."""

import uuid

import pytest

from timebank.domain.actor import PERMITTED, Act, Actor, Role

PERSON = uuid.UUID(int=1)


def test_the_table_knows_every_act() -> None:
    assert list(PERMITTED) == list(Act)
    assert all(PERMITTED.values())


@pytest.mark.parametrize("act", Act)
def test_an_actor_without_a_role_may_nothing(act: Act) -> None:
    assert not Actor(PERSON, frozenset()).may(act)


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("role", Role)
def test_an_actor_may_what_one_of_the_roles_permits(role: Role, act: Act) -> None:
    is_permitted = role in PERMITTED[act]
    assert Actor(PERSON, frozenset({role})).may(act) is is_permitted
    assert Actor(PERSON, frozenset({role, Role.ADMINISTRATOR})).may(act) >= is_permitted


def test_who_runs_the_machines_neither_serves_nor_judges() -> None:
    administrator = Actor(PERSON, frozenset({Role.ADMINISTRATOR}))
    assert not any(administrator.may(act) for act in Act)


def test_an_auditor_changes_nothing() -> None:
    auditor = Actor(PERSON, frozenset({Role.AUDITOR}))
    seen = {
        Act.SEE_REPORTS,
        Act.SEE_AUDIT,
        Act.SEE_SIGNALS,
        Act.PULL_ENTRIES,
        # A what-if answers and writes nothing.
        Act.TRY_POLICIES,
    }
    assert {act for act in Act if auditor.may(act)} == seen


def test_a_program_may_what_its_token_was_made_for_and_nothing_else() -> None:
    whole = Actor(PERSON, frozenset({Role.PROGRAM}))
    assert {act for act in Act if whole.may(act)} == {Act.SEE_REPORTS, Act.PULL_ENTRIES}
    limited = Actor(PERSON, frozenset({Role.PROGRAM}), acts=frozenset({Act.SEE_REPORTS, Act.SCAN}))
    assert {act for act in Act if limited.may(act)} == {Act.SEE_REPORTS}
