"""What every privileged use case asks first."""

from timebank.domain.actor import Act, Actor, OrganizationId, Role
from timebank.services.errors import NotFoundError, NotPermittedError


def check_organizes(actor: Actor, organization: OrganizationId | None) -> None:
    """Check that an actor runs the activities of an organization; None for what does not exist.

    What belongs to others looks as if it did not exist.

    Raises:
        NotPermittedError: The actor is no organizer.
        NotFoundError: The actor organizes for others.
    """
    if not actor.may(Act.RUN_ACTIVITIES):
        raise NotPermittedError
    if organization not in actor.organizations:
        raise NotFoundError


def check_may_approve(actor: Actor, organization: OrganizationId | None, *, region: int) -> None:
    """Check that an actor may be the second person for an organization's entries.

    That is who organizes for it, and an officer whose division holds `region`, where it is at home.

    Raises:
        NotPermittedError: The actor is neither organizer nor officer.
        NotFoundError: The actor organizes for others, or is an officer elsewhere.
    """
    if not actor.may(Act.APPROVE_ENTRIES):
        raise NotPermittedError
    if Role.ORGANIZER in actor.roles and organization in actor.organizations:
        return
    if Role.OFFICER in actor.roles and actor.scope is not None and actor.scope.covers(region):
        return
    raise NotFoundError
