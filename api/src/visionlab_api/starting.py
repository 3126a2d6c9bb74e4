"""What has to be right before a server starts."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from sqlalchemy.exc import OperationalError

from visionlab_api.backup.restoring import MARK, holds_tables, is_unfinished
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.engine import first_line, wait_for_database
from visionlab_core.kubernetes.objects import in_a_pod
from visionlab_core.object_store import StoreError
from visionlab_inference.releases.kserve.manifests import UnusableTemplate, read_templates


class CannotStart(Exception):
    """Something has to be set right first: the message says what."""


def await_database(configuration: ApiConfiguration) -> None:
    """Wait for the database for as long as the configuration says; blocks.

    Raises:
        CannotStart: it does not answer, or refuses us.
    """
    try:
        wait_for_database(configuration.resolved_database_url(), configuration.database_wait_seconds)
    except OperationalError as error:
        raise CannotStart(f"the database cannot be used: {first_line(error)}. Check VISIONLAB_DATABASE_URL.") from error


def check_store(configuration: ApiConfiguration) -> None:
    """See that the store can be used, and that it is no half of a restore; blocks.

    Raises:
        CannotStart: it cannot, or it is.
    """
    try:
        store = configuration.open_store()
        store.check()
        if not is_unfinished(store):
            return
        if not asyncio.run(holds_tables(configuration.resolved_database_url())):
            raise CannotStart(
                "a restore was broken off here, and nothing of it counts: do it again (visionlab-api restore FILE)."
            )
        # The rows are there, and they come last: it was the mark alone that was left.
        store.delete(MARK)
    except (StoreError, ValueError) as error:
        raise CannotStart(f"the store cannot be used: {error}") from error


def check_kserve(configuration: ApiConfiguration) -> None:
    """See that this process can deploy through KServe, where it shall; blocks.

    Raises:
        CannotStart: a package is missing, or the operator's templates cannot be used.
    """
    if configuration.serving != "kserve":
        return
    if find_spec("yaml") is None:
        raise CannotStart("to deploy through KServe, the extra kubernetes must be installed: visionlab-api[kubernetes].")
    if not in_a_pod() and find_spec("kubernetes") is None:
        raise CannotStart("outside of a cluster, the extra kubeconfig must be installed: visionlab-api[kubernetes,kubeconfig].")
    try:
        read_templates(configuration.kserve_template, configuration.pool_plan().names)
    except UnusableTemplate as error:
        raise CannotStart(f"VISIONLAB_KSERVE_TEMPLATE: {error}.") from error
