"""Making the schema, serving, and the demo county."""

import argparse
import os
import socket

import uvicorn

from timebank import migrations
from timebank.cli.command import CommandError, Subparsers, add_command, now
from timebank.cli.database import Urls, database, run
from timebank.cli.progress import Progress
from timebank.services import demo
from timebank.settings import (
    Settings,
    read_master_key,
)
from timebank.store.seal import Seal


def add_commands(commands: Subparsers) -> None:
    """Add this family to the command line."""
    add_command(commands, "migrate", _migrate, "bring the database to this release's schema")

    serve = add_command(commands, "serve", _serve, "serve the pages and the API")
    serve.add_argument("--demo", action="store_true", help="make and open the demo county")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--workers", type=int, default=1, help="server processes")

    made = add_command(commands, "demo", _demo, "build the reference county")
    made.add_argument("--scale", choices=("small", "full"), default="small")


def _migrate(_options: argparse.Namespace, settings: Settings) -> int:
    with database(settings, is_schema_checked=False) as urls:
        migrations.upgrade(urls.owner)
    print(f"The schema is at {migrations.newest_revision()}.")
    return 0


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    port = _listening_port(options.host, options.port)
    url = settings.url or f"http://{_reached_by(options.host)}:{port}"
    with database(settings) as urls:
        if options.demo:
            _build_demo(settings, urls, scale="small")
            print(_demo_guide(url), flush=True)
        os.environ.update(
            TIMEBANK_DATABASE_URL=urls.app,
            TIMEBANK_DATA=str(settings.data),
            TIMEBANK_URL=url,
            TIMEBANK_DEMO="1" if options.demo or settings.is_demo else "0",
        )
        uvicorn.run(
            "timebank.app:create_from_environment",
            factory=True,
            host=options.host,
            port=port,
            workers=options.workers,
            loop="uvloop",
            http="timebank.http.protocol:Protocol",
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            # Nothing depends on who a proxy says that it asks for; the public address is a setting.
            proxy_headers=False,
        )
    return 0


def _listening_port(host: str, port: int) -> int:
    """Return the port to listen on, for 0 a free one, before anything else is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as found:
            taken: int = found.getsockname()[1]
            return taken
    except OSError as error:
        raise CommandError(
            code="serve.port_taken",
            sentence=f"Cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}. "
            "Choose another one with --port.",
        ) from None


def _reached_by(host: str) -> str:
    """Return the address by which others reach a host; of all of a machine's, the one leading out.

    The code on the wall carries it, so that a phone in the same network can open the link.
    """
    if host != "0.0.0.0":  # noqa: S104 asked about, not listened on
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: the system only says which of its addresses it would use.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    with database(settings) as urls:
        _build_demo(settings, urls, scale=options.scale)
    return 0


def _build_demo(settings: Settings, urls: Urls, *, scale: demo.Scale) -> None:
    seal = Seal(read_master_key(settings))
    run(
        urls,
        lambda db: demo.build_demo(
            db, seal=seal, scale=scale, now=now(), progress=Progress("Demo county")
        ),
    )


def _demo_guide(url: str) -> str:
    return f"""
timebank is open at {url} — the demo county is Haiyan (海盐县).

  volunteer         {url}/  → 我是志愿者   or sign in with {demo.VOLUNTEER_PHONE}
  organizer         {url}/  → 我是组织者   or sign in with {demo.ORGANIZER_PHONE}
  district officer  {url}/  → 我在区县工作 or sign in with {demo.OFFICER_PHONE}
  partner           {url}/  → 以爱心商家的身份进入 or sign in with {demo.PARTNER_PHONE}

  The sign-in codes that would go out by text message are at {url}/outbox
  Stop with Ctrl-C.
"""
