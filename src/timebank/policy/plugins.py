"""Python packages that add to the engine: off by default, named one by one, listed unimported.

A plug-in is trusted code: whoever installs it and names it in the settings answers for it. A pack
that a package brings is data all the same: it is found by its folder and nothing of the package is
imported. Core names win: a fact of ours cannot be replaced.

Taken plug-ins are known to the whole process, once, before the first pack is read.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Protocol

from timebank.domain.plugin import API, PluginGroup, PluginOffer, PluginRefusal, PluginRefused
from timebank.policy.columns import Column
from timebank.policy.cube import Cube
from timebank.policy.fact import CORE_FACTS, FactKey, FactSpec, add_fact, forget_facts
from timebank.policy.pack import read_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack


class FactProvider(Protocol):
    """What an entry point of `timebank.facts` loads to, or makes when called without arguments.

    Attributes:
        api: The version of this protocol that it was written for; see `domain.plugin.API`.
        spec: Its name is the entry point's, and `words` name it in both languages.
    """

    api: int
    spec: FactSpec

    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        """Return the fact of everybody in the ledger's order, without changing what it is given.

        `ledger` has whole months only, those over by the end of `on`, and nobody's name. There is
        no clock, no session and no network: the same arguments give the same column for ever.
        """
        ...


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was taken.

    Attributes:
        facts: Providers by the name of their fact.
        packs: In the order of their names.
    """

    offers: tuple[PluginOffer, ...] = ()
    facts: tuple[tuple[str, FactProvider], ...] = ()
    packs: tuple[Pack, ...] = ()

    def provider(self, fact: str) -> FactProvider | None:
        """Return who answers a fact; None for facts of our own."""
        return dict(self.facts).get(fact)


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
        return found
    _taken = found
    return found


def _load(
    offers: tuple[PluginOffer, ...], holders: Mapping[str, Distribution]
) -> Plugins | PluginRefused:
    facts: list[tuple[str, FactProvider]] = []
    packs: list[Pack] = []
    for offer in offers:
        holder = holders[plain_name(offer.distribution)]
        match offer.group:
            case PluginGroup.FACTS:
                provider = _provider_of(holder, offer)
                if isinstance(provider, PluginRefused):
                    return provider
                facts.append((offer.name, provider))
                # Packs, which come later in the list, may name the fact.
                add_fact(replace(provider.spec, origin=offer.origin))
            case PluginGroup.PACKS:
                pack = _pack_of(holder, offer)
                if isinstance(pack, PluginRefused):
                    return pack
                packs.append(pack)
            case _:
                return PluginRefused(
                    PluginRefusal.CONTRACT, f"{offer.name}: {offer.group} is not open yet"
                )
    return Plugins(offers, tuple(facts), tuple(packs))


def _refuse_clash(offers: Sequence[PluginOffer]) -> PluginRefused | None:
    for (group, name), count in Counter((each.group, each.name) for each in offers).items():
        holders = ", ".join(
            each.origin for each in offers if (each.group, each.name) == (group, name)
        )
        if count > 1:
            return PluginRefused(PluginRefusal.NAME_CLASH, f"{group} {name}: {holders}")
        if group is PluginGroup.FACTS and name in CORE_FACTS:
            return PluginRefused(PluginRefusal.CORE_NAME, f"{group} {name}: {holders}")
    return None


def _provider_of(holder: Distribution, offer: PluginOffer) -> FactProvider | PluginRefused:
    (point,) = (
        each
        for each in holder.entry_points
        if (each.group, each.name) == (offer.group.value, offer.name)
    )
    try:
        loaded = point.load()
        provider: FactProvider = loaded() if isinstance(loaded, type) else loaded
        api, spec = provider.api, provider.spec
    except Exception as error:
        return PluginRefused(PluginRefusal.NOT_LOADABLE, f"{offer.origin} {offer.target}: {error}")
    if api != API:
        return PluginRefused(
            PluginRefusal.API_VERSION, f"{offer.origin} {offer.name}: {api}, not {API}"
        )
    if spec.name != offer.name or spec.words is None:
        return PluginRefused(
            PluginRefusal.CONTRACT, f"{offer.origin} {offer.name}: its fact is {spec.name}, unnamed"
        )
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
