"""Plug-ins: what is installed, and whether it keeps its promises."""

import argparse

from timebank.app import take_plugins
from timebank.cli.command import Subparsers, add_command
from timebank.policy import plugins
from timebank.policy.plugin_kit import broken_promises
from timebank.settings import Settings


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    lister = add_command(
        commands, "plugin", _plugin, "list installed plug-ins unimported, or try the allowed ones"
    )
    lister.add_argument("what", choices=("list", "check"))
    # Listing imports nothing, and helps when one of the allowed cannot be taken.
    lister.set_defaults(takes_plugins=False)


def _plugin(options: argparse.Namespace, settings: Settings) -> int:
    if options.what == "check":
        take_plugins(settings)
        return _check()
    allowed = {plugins.plain_name(each) for each in settings.plugins}
    for offer in plugins.list_offers():
        state = "on" if plugins.plain_name(offer.distribution) in allowed else "off"
        print(f"{state:5}{offer.group:20} {offer.name:24} {offer.origin}  {offer.target}")
    if not settings.plugins:
        print("No plug-in is allowed; TIMEBANK_PLUGINS names those that are.")
    return 0


def _check() -> int:
    found = plugins.taken()
    is_kept = True
    for offer in found.offers:
        provider = found.providers.get((offer.group, offer.name))
        if provider is None:
            print(f"{offer.group} {offer.name}: {offer.origin}, taken")
            continue
        broken = broken_promises(provider)
        is_kept = is_kept and not broken
        print(f"{offer.group} {offer.name}: {offer.origin}, {len(broken)} promises broken")
        print("".join(f"  {each}\n" for each in broken), end="")
    return 0 if is_kept else 1
