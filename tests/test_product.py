"""The product as an operator meets it: one program, started, asked, stopped and killed.

Slow for what it proves, because each start is a real one: about a minute in all.
"""

import contextlib
import csv
import io
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from tests.conftest import named, run_sql
from tests.test_postgres import open_python

import timebank
from timebank import cli, postgres
from timebank.migrations import newest_revision

NOBODY = pwd.getpwnam("nobody")
REPORT = ["report", "active-rate", "--region", "330424", "--year", "2024"]
COLUMNS = {
    "region",
    "name",
    "level",
    "residents",
    "residents_source",
    "registered",
    "active",
    "rate_per_10k",
    "minutes_scanned",
    "minutes_confirmed",
    "minutes_declared",
}


Asked = Callable[..., subprocess.CompletedProcess[str]]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIMEBANK_")}
    return kept | {"TIMEBANK_DATA": str(home), "LANG": "C.UTF-8"} | more


def timebank_of(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, as a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", "timebank.cli", *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
    )


@pytest.fixture
def asked(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Asked]:
    """Run commands in this process, which spares each the second that a program takes to start."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        for name in [each for each in os.environ if each.startswith("TIMEBANK_")]:
            monkeypatch.delenv(name)
        for name, value in environment(home, **more).items():
            monkeypatch.setenv(name, value)
        try:
            status = cli.main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, out, err)

    yield run
    signal.signal(signal.SIGTERM, before)


def refusal_of(answer: subprocess.CompletedProcess[str]) -> str:
    """The code of a command that was refused, in one sentence and without a traceback."""
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    (line,) = [line for line in answer.stderr.splitlines() if line.startswith("timebank: ")]
    found = re.search(r"\[([a-z_.]+)\]$", line)
    assert found, line
    return found[1]


def servers_of(home: Path) -> list[int]:
    """The processes that work in a data folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(home).encode() in (each / "cmdline").read_bytes():
                found.append(int(each.name))
    return found


class Served:
    """A product that was started with `timebank serve`."""

    def __init__(self, process: subprocess.Popen[str], guide: str, seconds: float) -> None:
        self.process = process
        self.guide = guide
        self.seconds = seconds
        (self.url,) = set(re.findall(r"is open at (\S+)", guide))

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=20)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def served(home: Path, command: list[str] | None = None, **more: object) -> Iterator[Served]:
    started = time.monotonic()
    with subprocess.Popen(
        [*(command or [sys.executable, "-m", "timebank.cli"]), "serve", "--demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd="/",
        **{"env": environment(home), **more},  # type: ignore[arg-type]
    ) as process:
        try:
            assert process.stdout is not None
            guide = ""
            for line in process.stdout:
                guide += line
                if "Ctrl-C" in line:
                    break
            found = Served(process, guide, 0.0)
            while True:
                with contextlib.suppress(httpx.TransportError):
                    assert found.get("/").status_code == 200
                    break
                assert process.poll() is None, guide
                assert time.monotonic() < started + 60, guide
                time.sleep(0.05)
            found.seconds = time.monotonic() - started
            yield found
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=30)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A data folder that the account of the database can reach; the tests share its county."""
    with tempfile.TemporaryDirectory(prefix="timebank-product-") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        made = timebank_of(data, "demo")
        assert made.returncode == 0, made.stderr
        yield data


@pytest.fixture(scope="module")
def kept(home: Path) -> Iterator[Path]:
    """The same with its database running, so that commands find it and leave it."""
    with postgres.running(home):
        yield home


def active_rate_of(home: Path) -> dict[str, object]:
    answer = timebank_of(home, *REPORT, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def test_one_command_serves_a_county_and_leaves_nothing_running(home: Path) -> None:
    with served(home) as product:
        landing = product.get("/").text
        for door in re.findall(r"→ (\S+)", product.guide):
            assert door in landing
        assert len(re.findall(r"1380000000\d", product.guide)) == 4
        assert product.get("/outbox").status_code == 200
        assert servers_of(home)
        assert product.stop() == 143
    assert servers_of(home) == []


def test_it_starts_again_in_seconds_with_the_same_data(home: Path) -> None:
    before = active_rate_of(home)
    with served(home) as product:
        assert product.seconds < 10
    assert active_rate_of(home) == before


def test_it_starts_again_after_it_was_killed(home: Path) -> None:
    before = active_rate_of(home)
    with served(home) as product:
        product.process.kill()
        product.process.wait()
        # The database was left alone, and whoever comes next takes it over.
        assert servers_of(home)
    with served(home) as product:
        assert product.get("/activities").status_code == 200
    assert servers_of(home) == []
    assert active_rate_of(home) == before


def test_commands_work_beside_a_running_product(home: Path) -> None:
    with served(home) as product:
        report = timebank_of(home, *REPORT, "--format", "json")
        audit = timebank_of(home, "audit")
        assert product.get("/").status_code == 200
        busy = timebank_of(home, "serve", "--demo", "--port", product.url.rpartition(":")[2])
    assert (report.returncode, audit.returncode) == (0, 0)
    assert "agree with the journal" in audit.stdout
    assert "BROKEN" not in audit.stdout
    assert refusal_of(busy) == "serve.port_taken"
    assert "is open at" not in busy.stdout


def test_a_flood_over_the_wire_is_refused_and_the_product_goes_on(home: Path) -> None:
    with served(home) as product:
        flood = b"phone=" + b"1" * 10_000_000
        headers = {"content-type": "application/x-www-form-urlencoded"}
        for path in ("/sign-in/codes", "/api/checkins"):
            # The answer may come before all of it was sent, which a client may take for an end.
            with contextlib.suppress(httpx.WriteError):
                answer = httpx.post(f"{product.url}{path}", content=flood, headers=headers)
                assert answer.status_code in {401, 413}
        with socket.create_connection(("127.0.0.1", int(product.url.rpartition(":")[2]))) as raw:
            raw.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert b"400" in raw.recv(1000)
        assert product.get("/").status_code == 200


def test_the_report_is_one_in_every_format(kept: Path, asked: Asked, tmp_path: Path) -> None:
    report = active_rate_of(kept)
    assert set(report) == {"definition", "as_of", "rows"}
    assert set(report["as_of"]) == {"book", "seq"}  # type: ignore[call-overload]
    rows = report["rows"]
    assert isinstance(rows, list)
    assert {frozenset(row) for row in rows} == {frozenset(COLUMNS)}
    assert [row["level"] for row in rows].count("county") == 1
    assert [row["level"] for row in rows].count("town") == 9
    assert len({row["region"] for row in rows}) == len(rows) > 90

    table = asked(*REPORT)
    assert table.returncode == 0
    assert "海盐县" in table.stdout
    assert f"{rows[0]['rate_per_10k']:,}" in table.stdout
    sheet, book = tmp_path / "report.csv", tmp_path / "report.xlsx"
    for file in (sheet, book):
        answer = asked(*REPORT, "--format", file.suffix[1:], "--output", str(file))
        assert (answer.returncode, answer.stdout) == (0, "")
    lines = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"))))
    cells = list(load_workbook(book)["活跃率"].iter_rows(values_only=True))
    assert len(lines) == len(cells) - 1 == len(rows)
    for row, line, cell in zip(rows, lines, cells[1:], strict=True):
        assert (row["name"], row["active"]) == (line["名称"], int(line["活跃志愿者"]))
        assert (row["name"], row["active"]) == (cell[1], cell[cells[0].index("活跃志愿者")])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["report", "active-rate", "--region", "abc", "--year", "2024"], "region.malformed"),
        (["report", "active-rate", "--region", "", "--year", "2024"], "region.malformed"),
        (["report", "active-rate", "--region", "330421", "--year", "2024"], "region.not_found"),
        ([*REPORT, "--format", "xlsx"], "report.no_output"),
        ([*REPORT, "--format", "csv", "--output", "/nowhere/report.csv"], "file.closed"),
        (["report", "active-rate", "--region", "330424", "--year", "0"], "year.out_of_range"),
        (["report", "active-rate", "--region", "330424", "--year", "99999"], "year.out_of_range"),
        (["audit", "--book", "110101"], "book.not_found"),
        (["grant", "--region", "330421"], "region.not_found"),
        (["import", "services", "/nowhere/file.csv"], "file.unreadable"),
        (["import", "services", "/etc/hostname", "--book", "110101"], "region.not_found"),
        (["demo", "--scale", "full"], "demo.other_scale"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    kept: Path, asked: Asked, arguments: list[str], code: str
) -> None:
    assert refusal_of(asked(*arguments)) == code


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        [*REPORT, "--format", "pdf"],
        ["report", "active-rate", "--region", "330424", "--year", "last"],
        ["report", "active-rate"],
        ["grant", "--on", "yesterday"],
        ["serve", "--port", "http"],
    ],
)
def test_a_misused_command_says_how_it_is_used(asked: Asked, arguments: list[str]) -> None:
    answer = asked(*arguments)
    assert answer.returncode == 2
    assert answer.stderr.startswith("usage: timebank")


def test_a_districts_file_lands_once(kept: Path, asked: Asked, tmp_path: Path) -> None:
    file = tmp_path / "services.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["志愿者编号", "活动名称", "组织名称", "服务领域", "服务地点", "开始时间", "分钟"]
        )
        for minutes in ("90", "120", "9999"):
            writer.writerow(
                ["HY0000002", "敬老服务", "沈荡镇志愿服务队", "敬老助老", "330424101200",
                 "2024-03-02 09:00", minutes]
            )  # fmt: skip
    found = []
    for more in (["--dry-run"], [], []):
        answer = asked("import", "services", str(file), *more)
        assert answer.returncode == 1, answer.stderr
        assert "Traceback" not in answer.stderr
        result = json.loads(answer.stdout)
        names = ("rows", "rows_posted", "rows_known", "rows_refused", "minutes")
        found.append([result[name] for name in names])
    assert found == [[3, 2, 0, 1, 210], [3, 2, 0, 1, 210], [3, 0, 2, 1, 0]]
    errors = list(csv.DictReader(io.StringIO(Path(f"{file}.errors.csv").read_text("utf-8-sig"))))
    assert len(errors) == 1
    assert "4" in errors[0].values()
    assert asked("audit").returncode == 0


def test_another_server_is_migrated_first(server_url: str, asked: Asked) -> None:
    name = f"timebank_product_{uuid.uuid4().hex[:8]}"
    run_sql(server_url, f'create database "{name}"')
    url = named(server_url, name).replace("postgresql+asyncpg", "postgresql")
    env = {"TIMEBANK_DATABASE_URL": url}
    try:
        assert refusal_of(asked(*REPORT, **env)) == "schema.outdated"
        assert refusal_of(asked("serve", "--port", "0", **env)) == "schema.outdated"
        migrated = asked("migrate", **env)
        assert (migrated.returncode, newest_revision() in migrated.stdout) == (0, True)
        assert asked("migrate", **env).returncode == 0
        assert refusal_of(asked(*REPORT, **env)) == "region.not_found"
        assert asked("audit", **env).returncode == 0
    finally:
        run_sql(server_url, f'drop database "{name}" with (force)')
    assert refusal_of(asked(*REPORT, **env)) == "database.unreachable"
    nowhere = {"TIMEBANK_DATABASE_URL": "postgresql://app:secret@127.0.0.1:1/timebank"}
    answer = asked("migrate", **nowhere)
    assert refusal_of(answer) == "database.unreachable"
    assert "secret" not in answer.stderr


def test_a_data_folder_that_is_a_file_is_said(asked: Asked, tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("")
    for place in (file, file / "below"):
        assert refusal_of(asked("audit", TIMEBANK_DATA=str(place))) == "file.closed"


@pytest.mark.needs_root
def test_a_plain_user_runs_it_all() -> None:
    python = open_python()
    with tempfile.TemporaryDirectory(prefix="timebank-plain-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        library = place / "library"
        library.mkdir()
        packages = Path(httpx.__file__).parents[1]
        shutil.copytree(Path(timebank.__file__).parent, library / "timebank")
        subprocess.run(["chmod", "-R", "a+rX", library], check=True)
        env = {
            "HOME": str(place / "home"),
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONPATH": f"{library}:{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        (place / "home").mkdir()
        os.chown(place / "home", NOBODY.pw_uid, NOBODY.pw_gid)
        as_nobody = {"env": env, "user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
        tried = subprocess.run(
            [python, "-c", "import timebank.cli"], cwd="/", capture_output=True, check=False,
            **as_nobody,  # type: ignore[call-overload]
        )  # fmt: skip
        if tried.returncode:
            pytest.skip("no plain account of this machine can read the installed packages")
        with served(place, [python, "-m", "timebank.cli"], **as_nobody) as product:
            assert product.get("/activities").status_code == 200
            (data,) = (place / "home").rglob("timebank")
            assert data.stat().st_uid == NOBODY.pw_uid
            assert data.stat().st_mode & 0o077 == 0
        assert servers_of(data) == []
