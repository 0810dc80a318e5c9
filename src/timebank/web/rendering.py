"""How templates are rendered: undefined names are errors, everything is escaped.

A template prints, loops and tests. It is given `page` (a frozen `<Name>Page`), `frame` (what the
layout shows) and `_` (the reader's language); `icon` and `asset` are the same for everybody.
"""

from jinja2 import Environment, PackageLoader, StrictUndefined

from timebank.web.assets import load_assets
from timebank.web.icons import icon


def build_environment() -> Environment:
    """Return the environment that renders every page."""
    environment = Environment(
        loader=PackageLoader("timebank.web", "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["icon"] = icon
    environment.globals["asset"] = load_assets().address
    return environment
