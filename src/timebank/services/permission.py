"""What every privileged use case asks first."""

from timebank.domain.actor import Act, Actor, OrganizationId
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
