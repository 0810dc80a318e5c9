"""Who organizes service."""

from enum import StrEnum

NAME_LENGTH_MAX = 60
"""The longest name of an organization, as registered."""


class OrganizationKind(StrEnum):
    """What an organization is."""

    TEAM = "team"
    STATION = "station"
    SOCIAL_ORGANIZATION = "social_organization"
    COMMUNITY = "community"
    ENTERPRISE = "enterprise"
