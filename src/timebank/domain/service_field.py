"""The fields in which volunteers serve.

The list follows the service categories that Chinese volunteer platforms offer; its names on screen
are in the message catalogs, and its numbers are stored, so a member is never renumbered.
"""

from enum import IntEnum


class ServiceField(IntEnum):
    """One field of service; its code in files and catalogs is the lower-case name."""

    ELDER_CARE = 1
    CHILD_CARE = 2
    DISABILITY = 3
    COMMUNITY = 4
    ENVIRONMENT = 5
    CULTURE = 6
    SPORTS = 7
    EDUCATION = 8
    HEALTH = 9
    EMERGENCY = 10
    TRAFFIC = 11
    LEGAL_AID = 12
    SCIENCE = 13
    LARGE_EVENT = 14
    CIVILITY = 15
    RURAL = 16
    PUBLIC_SAFETY = 17
    MUTUAL_AID = 18
    COUNSELLING = 19
    OTHER = 20

    @property
    def code(self) -> str:
        """The stable code in files, such as `elder_care`."""
        return self.name.lower()


def field_of(code: str) -> ServiceField | None:
    """Return the field that a code in a file names, or None."""
    return _BY_CODE.get(code)


_BY_CODE = {each.code: each for each in ServiceField}
