"""Settings come from the environment alone, and the master key is made once and kept private."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from timebank.settings import (
    Settings,
    SettingsError,
    make_data_folder,
    read_log_key,
    read_master_key,
    read_settings,
)


def settings_of(data: Path, **variables: str) -> Settings:
    return read_settings({"TIMEBANK_DATA": str(data), **variables}, is_root=False)


def test_defaults_follow_the_account() -> None:
    assert read_settings({}, is_root=True).data == Path("/var/lib/timebank")
    assert read_settings({}, is_root=False).data == Path.home() / ".local/share/timebank"
    assert read_settings({"XDG_DATA_HOME": "/x"}, is_root=False).data == Path("/x/timebank")
    assert read_settings({"XDG_DATA_HOME": "x"}, is_root=False).data.is_relative_to(Path.home())


def test_an_empty_variable_is_an_absent_one(tmp_path: Path) -> None:
    names = ("DATABASE_URL", "OWNER_DATABASE_URL", "POSTGRES", "POSTGRES_USER", "URL")
    empty = {f"TIMEBANK_{name}": "" for name in (*names, "MASTER_KEY_FILE")}
    assert settings_of(tmp_path, **empty) == settings_of(tmp_path)


def test_every_variable_is_read(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        TIMEBANK_DATABASE_URL="postgresql+asyncpg://app@db/timebank",
        TIMEBANK_OWNER_DATABASE_URL="postgresql+asyncpg://owner@db/timebank",
        TIMEBANK_POSTGRES="/usr/lib/postgresql/15/bin",
        TIMEBANK_POSTGRES_USER="somebody",
        TIMEBANK_URL="https://example.org/",
        TIMEBANK_MASTER_KEY_FILE="/run/key",
    )
    assert settings.data == tmp_path
    assert settings.database_url == "postgresql+asyncpg://app@db/timebank"
    assert settings.owner_database_url == "postgresql+asyncpg://owner@db/timebank"
    assert settings.postgres_binaries == Path("/usr/lib/postgresql/15/bin")
    assert settings.postgres_user == "somebody"
    assert settings.url == "https://example.org"
    assert settings.master_key_file == Path("/run/key")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_the_database_is_named_as_everybody_writes_it(tmp_path: Path, scheme: str) -> None:
    settings = settings_of(tmp_path, TIMEBANK_DATABASE_URL=f"{scheme}://app@db:5433/timebank")
    assert settings.database_url == "postgresql+asyncpg://app@db:5433/timebank"


@pytest.mark.parametrize("url", ["sqlite:///x", "mysql://db/x", "db:5432/timebank", "nonsense"])
def test_another_kind_of_database_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, TIMEBANK_DATABASE_URL=url)
    assert caught.value.code == "settings.database_url_malformed"


def test_a_relative_folder_is_refused() -> None:
    with pytest.raises(SettingsError, match="TIMEBANK_DATA must be an absolute path") as caught:
        read_settings({"TIMEBANK_DATA": "data"}, is_root=False)
    assert caught.value.code == "settings.path_relative"


def test_a_new_data_folder_ignores_the_umask_and_an_old_one_is_left_alone(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        make_data_folder(tmp_path / "new")
    finally:
        os.umask(before)
    expected = 0o755 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == expected
    (tmp_path / "new").chmod(0o711)
    make_data_folder(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o711


def test_simultaneous_first_readers_get_one_private_key(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(read_master_key, [settings] * 8))
    assert [len(key) for key in keys] == [32]
    assert stat.S_IMODE(settings.master_key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.master_key_file.parent.stat().st_mode) == 0o700
    assert [file.name for file in settings.master_key_file.parent.iterdir()] == ["master.key"]


def test_an_open_a_damaged_and_a_missing_key_are_refused(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    read_master_key(settings)
    settings.master_key_file.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600") as caught:
        read_master_key(settings)
    assert caught.value.code == "settings.master_key_open"

    settings.master_key_file.chmod(0o600)
    settings.master_key_file.write_bytes(b"short")
    with pytest.raises(SettingsError, match="5 bytes") as caught:
        read_master_key(settings)
    assert caught.value.code == "settings.master_key_damaged"

    elsewhere = settings_of(tmp_path, TIMEBANK_MASTER_KEY_FILE=str(tmp_path / "misspelt"))
    with pytest.raises(SettingsError, match="misspelt") as caught:
        read_master_key(elsewhere)
    assert caught.value.code == "settings.master_key_missing"
    assert not (tmp_path / "misspelt").exists()


def test_the_logs_have_a_key_and_a_name_of_their_own(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert settings.log_name == "timebank"
    key = read_log_key(settings)
    assert (len(key), read_log_key(settings)) == (32, key)
    assert key != read_master_key(settings)
    assert stat.S_IMODE(settings.log_key_file.stat().st_mode) == 0o600

    settings.log_key_file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600") as caught:
        read_log_key(settings)
    assert caught.value.code == "settings.log_key_open"
    for name in ("time example", "a+b", "时间"):
        with pytest.raises(SettingsError, match="TIMEBANK_LOG_NAME"):
            settings_of(tmp_path, TIMEBANK_LOG_NAME=name)
