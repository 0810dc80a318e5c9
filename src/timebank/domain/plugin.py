"""What may be added to the engine by Python packages from outside, and why one is not taken."""

from dataclasses import dataclass
from enum import StrEnum

API = 1
"""Version of what plug-ins and the engine expect of each other."""


class PluginGroup(StrEnum):
    """The groups of entry points, one for each kind of addition."""

    FACTS = "timebank.facts"
    GRANTS = "timebank.grants"
    SELECTORS = "timebank.selectors"
    CALENDARS = "timebank.calendars"
    PACKS = "timebank.packs"


class PluginRefusal(StrEnum):
    """Why a plug-in is not taken; the product then does not start."""

    NOT_INSTALLED = "plugin.not_installed"
    NAME_CLASH = "plugin.name_clash"
    CORE_NAME = "plugin.core_name"
    NOT_LOADABLE = "plugin.not_loadable"
    API_VERSION = "plugin.api_version"
    PACK_REFUSED = "plugin.pack_refused"
    CONTRACT = "plugin.contract"


@dataclass(frozen=True, slots=True, order=True)
class PluginOffer:
    """One entry point as its package's metadata announces it; nothing of it was imported.

    Attributes:
        target: What would be loaded, such as `package.module:name`.
        distribution: The package that brings it, as installers name it.
    """

    group: PluginGroup
    name: str
    target: str
    distribution: str
    version: str

    @property
    def origin(self) -> str:
        """Return who brings it, as decisions keep it: `timebank-streak 1.0.0`."""
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class PluginRefused:
    """The outcome of taking plug-ins of which one cannot be.

    Attributes:
        subject: The entry point or distribution, and what is wrong with it.
    """

    reason: PluginRefusal
    subject: str

    def __str__(self) -> str:
        """Return the refusal as one line."""
        return f"{self.reason.value}: {self.subject}"
