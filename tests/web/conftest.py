"""One served demo for every module here, and one browser per module.

The browser comes and goes with its module: while it is open its event loop runs in this thread, and
a database could not be made ready for the next.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser
from tests.conftest import copied
from tests.web.preview import browser
from tests.web.site import Site, served


@pytest.fixture(scope="package")
def site(server_url: str, template: str) -> Iterator[Site]:
    """The product over the demo county; what one module does in it the next one finds."""
    with copied(server_url, template) as url, served(url) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def another_minute(request: pytest.FixtureRequest) -> None:
    """A minute passes before each module: how many sign in within one is limited."""
    ours = [item for item in request.session.items if item.path == request.path]
    if any("site" in item.fixturenames for item in ours if isinstance(item, pytest.Function)):
        site: Site = request.getfixturevalue("site")
        site.clock.pass_by(timedelta(minutes=1))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened
