"""Python packages that add to the engine: off by default, named one by one, listed unimported.

A plug-in is trusted code: whoever installs it and names it in the settings answers for it. A pack
that a package brings is data all the same: it is found by its folder and nothing of the package is
imported. Core names win: a fact of ours cannot be replaced. What breaks a promise of its contract,
tried on a few people who never were, is refused.

Taken plug-ins are known to the whole process, once, before the first pack is read.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import cast

from timebank.domain.plugin import API, PluginGroup, PluginOffer, PluginRefusal, PluginRefused
from timebank.policy.extension import (
    CalendarProvider,
    CalendarSpec,
    FactProvider,
    GrantProvider,
    GrantSpec,
    SelectorProvider,
    SelectorSpec,
    add_calendar,
    add_grant,
    add_selector,
    forget_extensions,
)
from timebank.policy.fact import CORE_FACTS, FactSpec, add_fact, forget_facts
from timebank.policy.grant import GrantKind
from timebank.policy.pack import read_pack
from timebank.policy.plugin_kit import Provider, broken_promises
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack
from timebank.policy.selection import SelectMode

_TRIED = 6
"""People on whom a provider is tried when it is taken: `timebank plugin check` tries it on more."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was taken.

    Attributes:
        providers: What was loaded, by group and name.
        packs: In the order of their names.
    """

    offers: tuple[PluginOffer, ...] = ()
    providers: Mapping[tuple[PluginGroup, str], Provider] = field(default_factory=dict)
    packs: tuple[Pack, ...] = ()

    def provider(self, fact: str) -> FactProvider | None:
        """Return who answers a fact; None for facts of our own."""
        found = self.providers.get((PluginGroup.FACTS, fact))
        return None if found is None else cast("FactProvider", found)


_taken = Plugins()


def taken() -> Plugins:
    """Return what this process took at its start."""
    return _taken


def list_offers(found: Iterable[Distribution] | None = None) -> tuple[PluginOffer, ...]:
    """Return every entry point of our groups that is installed, without importing any.

    Shape: by group and name.
    """
    groups = set(PluginGroup)
    offers = {
        PluginOffer(
            PluginGroup(each.group), each.name, each.value, holder.metadata["Name"], holder.version
        )
        for holder in (distributions() if found is None else found)
        for each in holder.entry_points
        if each.group in groups
    }
    return tuple(sorted(offers))


def take_plugins(allowed: Collection[str]) -> Plugins | PluginRefused:
    """Load what the allowed distributions bring, and nothing else; all of it or nothing.

    Raises:
        RuntimeError: Plug-ins were taken before: a process has one set for life.
    """
    global _taken
    if _taken.offers:
        raise RuntimeError("plug-ins are taken once")
    wanted = {plain_name(each) for each in allowed}
    holders = {plain_name(each.metadata["Name"]): each for each in distributions()}
    for name in sorted(wanted - holders.keys()):
        return PluginRefused(PluginRefusal.NOT_INSTALLED, name)
    chosen = [holders[name] for name in sorted(wanted)]
    offers = list_offers(chosen)
    if refused := _refuse_clash(offers):
        return refused

    found = _load(offers, holders)
    if isinstance(found, PluginRefused):
        forget_facts()
        forget_extensions()
        return found
    _taken = found
    return found


def _load(
    offers: tuple[PluginOffer, ...], holders: Mapping[str, Distribution]
) -> Plugins | PluginRefused:
    providers: dict[tuple[PluginGroup, str], Provider] = {}
    packs: list[Pack] = []
    # Packs come last: they may name what the others bring.
    for offer in sorted(offers, key=lambda each: (each.group is PluginGroup.PACKS, each)):
        holder = holders[plain_name(offer.distribution)]
        if offer.group is PluginGroup.PACKS:
            pack = _pack_of(holder, offer)
            if isinstance(pack, PluginRefused):
                return pack
            packs.append(pack)
            continue
        provider = _provider_of(holder, offer)
        if isinstance(provider, PluginRefused):
            return provider
        providers[offer.group, offer.name] = provider
        _add(provider, offer)
    return Plugins(offers, providers, tuple(packs))


def _add(provider: Provider, offer: PluginOffer) -> None:
    """Make what a package brings known to whoever reads packs."""
    match offer.group:
        case PluginGroup.FACTS:
            fact = cast("FactProvider", provider)
            add_fact(replace(fact.spec, origin=offer.origin))
        case PluginGroup.GRANTS:
            grant = cast("GrantProvider", provider)
            add_grant(grant, replace(grant.spec, origin=offer.origin))
        case PluginGroup.SELECTORS:
            selector = cast("SelectorProvider", provider)
            add_selector(selector, replace(selector.spec, origin=offer.origin))
        case PluginGroup.CALENDARS:
            calendar = cast("CalendarProvider", provider)
            add_calendar(calendar, replace(calendar.spec, origin=offer.origin))
        case PluginGroup.PACKS:
            raise AssertionError("a pack is read, not loaded")


def _refuse_clash(offers: Sequence[PluginOffer]) -> PluginRefused | None:
    for (group, name), count in Counter((each.group, each.name) for each in offers).items():
        holders = ", ".join(
            each.origin for each in offers if (each.group, each.name) == (group, name)
        )
        if count > 1:
            return PluginRefused(PluginRefusal.NAME_CLASH, f"{group} {name}: {holders}")
        if name in _CORE_NAMES.get(group, ()):
            return PluginRefused(PluginRefusal.CORE_NAME, f"{group} {name}: {holders}")
    return None


_CORE_NAMES: Mapping[PluginGroup, Collection[str]] = {
    PluginGroup.FACTS: CORE_FACTS,
    PluginGroup.GRANTS: frozenset(GrantKind),
    PluginGroup.SELECTORS: frozenset(SelectMode),
}
"""Names of our own, which win."""

_SPECS: Mapping[PluginGroup, type] = {
    PluginGroup.FACTS: FactSpec,
    PluginGroup.GRANTS: GrantSpec,
    PluginGroup.SELECTORS: SelectorSpec,
    PluginGroup.CALENDARS: CalendarSpec,
}


def _provider_of(holder: Distribution, offer: PluginOffer) -> Provider | PluginRefused:
    (point,) = (
        each
        for each in holder.entry_points
        if (each.group, each.name) == (offer.group.value, offer.name)
    )
    try:
        loaded = point.load()
        provider: Provider = loaded() if isinstance(loaded, type) else loaded
        api, spec = provider.api, provider.spec
    except Exception as error:
        return PluginRefused(PluginRefusal.NOT_LOADABLE, f"{offer.origin} {offer.target}: {error}")
    if api != API:
        return PluginRefused(
            PluginRefusal.API_VERSION, f"{offer.origin} {offer.name}: {api}, not {API}"
        )
    if not isinstance(spec, _SPECS[offer.group]) or spec.name != offer.name:
        return PluginRefused(
            PluginRefusal.CONTRACT, f"{offer.origin} {offer.name}: it does not say that it is that"
        )
    try:
        broken = broken_promises(provider, people=_TRIED)
    except Exception as error:
        broken = (f"{type(error).__name__}: {error}",)
    if broken:
        return PluginRefused(PluginRefusal.CONTRACT, f"{offer.origin} {offer.name}: {broken[0]}")
    return provider


def _pack_of(holder: Distribution, offer: PluginOffer) -> Pack | PluginRefused:
    """Return the pack in the folder that a dotted name stands for; the package is not imported."""
    folder = Path(str(holder.locate_file(offer.target.replace(".", "/"))))
    found = read_pack(folder)
    if isinstance(found, PackRefused):
        return PluginRefused(PluginRefusal.PACK_REFUSED, f"{offer.origin} {found.problems[0]}")
    return found


def plain_name(name: str) -> str:
    """Return the name of a distribution in the one form in which names are compared."""
    return name.lower().replace("_", "-").replace(".", "-")
