"""What `visionlab-api` does beside serving: the words that may stand before its options."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import async_sessionmaker

from visionlab_api.accounts.admin_token import new_admin_token
from visionlab_api.backup.contents import Manifest
from visionlab_api.backup.errors import BackupError
from visionlab_api.backup.making import make_backup, new_file
from visionlab_api.backup.progress import Progress
from visionlab_api.backup.reading import verify
from visionlab_api.backup.restoring import restore_backup
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.engine import migrate, open_engine
from visionlab_api.services.starters import install_starters
from visionlab_api.starting import CannotStart, await_database, check_store
from visionlab_core.object_store import StoreError

Configure = Callable[[list[str]], ApiConfiguration]
_ALLOW_MISSING = "--allow-missing"


def run_command(name: str, arguments: list[str], configure: Configure) -> None:
    """Do what a word asks for.

    Args:
        name: new-admin-token, backup, restore, verify-backup or install-models.
        arguments: what follows it.
        configure: makes the configuration of options.

    Raises:
        SystemExit: it cannot be done.
    """
    try:
        _COMMANDS[name](arguments, configure)
    except (BackupError, CannotStart, StoreError, ValueError) as error:
        _fail(str(error))
    except sqlite3.Error as error:
        _fail(f"temporary files cannot be written: {error}.")
    except SQLAlchemyError as error:
        _fail(f"the database cannot be used: {str(error).splitlines()[0]}")
    except OSError as error:
        _fail(f"{error.filename or 'the file'} cannot be used: {error.strerror or error}")


def _print_new_admin_token(arguments: list[str], configure: Configure) -> None:
    configuration = configure(arguments)
    if configuration.admin_token is not None:
        _fail("the admin token is the one of VISIONLAB_ADMIN_TOKEN; change it there.")
    await_database(configuration)
    print(asyncio.run(_new_admin_token(configuration)))


async def _new_admin_token(configuration: ApiConfiguration) -> str:
    url = configuration.resolved_database_url()
    await asyncio.to_thread(migrate, url)
    engine = open_engine(url)
    try:
        return await new_admin_token(async_sessionmaker(engine))
    finally:
        await engine.dispose()


def _backup(arguments: list[str], configure: Configure) -> None:
    path, options = _file(arguments, "backup")
    allow_missing = _ALLOW_MISSING in options
    configuration = configure([option for option in options if option != _ALLOW_MISSING])
    await_database(configuration)
    url, store = configuration.resolved_database_url(), configuration.open_store()
    with _to(path) as file, Progress("backup") as progress:
        folder = None if path is None else path.absolute().parent
        manifest = make_backup(url, store, file, folder=folder, allow_missing=allow_missing, progress=progress)
    if manifest.missing:
        print(f"{len(manifest.missing)} objects are missing in it: see its manifest.json.", file=sys.stderr)
    print(f"Backed up {_shown(manifest)}, as of {manifest.rows_at:%Y-%m-%d %H:%M:%S} UTC.", file=sys.stderr)


def _restore(arguments: list[str], configure: Configure) -> None:
    path, options = _file(arguments, "restore")
    configuration = configure(options)
    await_database(configuration)
    url = configuration.resolved_database_url()
    with _from(path) as file, Progress("restore") as progress:
        manifest = restore_backup(url, configuration.open_store(), file, folder=_beside(configuration), progress=progress)
    print(f"Restored {_shown(manifest)}, as of {manifest.rows_at:%Y-%m-%d %H:%M:%S} UTC.", file=sys.stderr)


def _verify(arguments: list[str], configure: Configure) -> None:
    path, options = _file(arguments, "verify-backup")
    configure(options)
    with _from(path) as file:
        head, manifest = verify(file)
    print(f"Sound: {_shown(manifest)}, as of {manifest.rows_at:%Y-%m-%d %H:%M:%S} UTC, of version {head.version}.")


def _install_models(arguments: list[str], configure: Configure) -> None:
    """Put the starter models into the store, as a server does at its start that has their folder."""
    configuration = configure(arguments)
    if configuration.starter_models is None or not configuration.starter_models.is_dir():
        _fail(f"there is no folder {configuration.starter_models} with models; name one in VISIONLAB_STARTER_MODELS.")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    await_database(configuration)
    check_store(configuration)
    asyncio.run(_install(configuration, configuration.starter_models))


async def _install(configuration: ApiConfiguration, folder: Path) -> None:
    url = configuration.resolved_database_url()
    await asyncio.to_thread(migrate, url)
    engine = open_engine(url)
    try:
        await install_starters(folder, configuration.open_store(), async_sessionmaker(engine, expire_on_commit=False))
    finally:
        await engine.dispose()


def _file(arguments: list[str], command: str) -> tuple[Path | None, list[str]]:
    """The file that comes first, None for standard input or output; and the options."""
    if not arguments or (arguments[0].startswith("-") and arguments[0] != "-"):
        _fail(f"name the file first: visionlab-api {command} FILE [options]")
    return None if arguments[0] == "-" else Path(arguments[0]), arguments[1:]


@contextmanager
def _to(path: Path | None) -> Iterator[BinaryIO]:
    if path is not None:
        with new_file(path) as file:
            yield file
        return
    if sys.stdout.isatty():
        _fail("a backup is no text for a terminal: name a file, or send it on to a program.")
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _from(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        # Without a buffer: what has come is read, and not waited for more.
        with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as file:
            yield file
        return
    with path.open("rb") as file:
        yield file


def _beside(configuration: ApiConfiguration) -> Path:
    configuration.data_folder.mkdir(parents=True, exist_ok=True)
    return configuration.data_folder


def _shown(manifest: Manifest) -> str:
    rows = sum(table.rows for table in manifest.tables.values())
    return f"{rows} rows and {manifest.objects} objects of {manifest.object_bytes / 2**20:.1f} MiB"


def _fail(why: str) -> NoReturn:
    sys.exit(f"visionlab-api: {why}")


_COMMANDS: dict[str, Callable[[list[str], Configure], None]] = {
    "new-admin-token": _print_new_admin_token,
    "backup": _backup,
    "restore": _restore,
    "verify-backup": _verify,
    "install-models": _install_models,
}
