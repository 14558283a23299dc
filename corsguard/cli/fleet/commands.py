"""The commands and options for a policy that a fleet follows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from corsguard.cli.terminal import fail

if TYPE_CHECKING:
    from corsguard.cli.fleet.publication import PublishOptions

__all__ = ["history", "publish", "rollback", "status"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the output.",
)


def _add_publish_options(command: Decorated) -> Decorated:
    """Add the options of the commands that publish."""
    for option in reversed(
        (
            click.option("--message", "-m", default="", help="Why, for `corsguard history`."),
            click.option(
                "--sign",
                metavar="KEYFILE",
                type=click.Path(),
                help="Sign with an Ed25519 private key in PEM, or a secret (HMAC).",
            ),
            click.option(
                "--unsigned", is_flag=True, help="Do not sign although the last version is."
            ),
            click.option("--dry-run", is_flag=True, help="Show what would change only."),
            click.option("--yes", "-y", is_flag=True, help="Do not ask in a terminal."),
        )
    ):
        command = option(command)
    return command


@click.command("publish", short_help="Publish a policy for a fleet to follow.")
@click.argument("file", metavar="[FILE]", type=click.Path(), required=False)
@click.argument("target", metavar="TARGET", required=False)
@click.option("--add", metavar="ORIGIN", multiple=True, help="Add an origin to a set.")
@click.option("--remove", metavar="ORIGIN", multiple=True, help="Remove an origin from a set.")
@click.option("--set", "name", metavar="NAME", help="The set, if there are several.")
@click.option("--keep-sets", is_flag=True, help="Keep the origins that published sets have.")
@click.option("--candidate", is_flag=True, help="Publish FILE as a candidate only.")
@click.option("--promote", is_flag=True, help="Make the candidate the policy.")
@click.option("--discard-candidate", is_flag=True, help="Remove the candidate.")
@_add_publish_options
@click.option(
    "--version",
    type=click.IntRange(1, 10**18 - 1),
    metavar="NUMBER",
    help="Number of the first version in an empty store.",
)
def publish(file: str | None, target: str | None, **options: Any) -> None:
    """Publish the corsguard.toml FILE to TARGET, so that all workers that follow it change.

    TARGET is the URL of a store, such as redis://HOST/0, postgresql://HOST/DB or
    sqlite:////var/lib/corsguard.db, or a file. A policy with problems is never published. What is
    newly allowed, and what no longer is, is shown first.

    With --keep-sets, the published sets of origins stay as they are. Otherwise, those of FILE
    replace them.

    Instead of FILE, give --add and --remove to change one set (each may be repeated), or
    --promote or --discard-candidate to end the trial of a candidate. A candidate is a policy that
    is evaluated beside the one in force and changes no response: `corsguard status` counts the
    requests that it would decide otherwise.

    Exits with 0 if it is published, or nothing would change, 1 if it is refused: it has problems,
    or somebody else has published meanwhile, 2 if FILE or TARGET can't be used.
    """
    if target is None:
        file, target = None, file  # click takes the first argument for FILE
    if target is None:
        raise click.UsageError("Missing argument 'TARGET'.")
    has_changes = bool(options["add"] or options["remove"])
    actions = [file is not None, has_changes, options["promote"], options["discard_candidate"]]
    if sum(actions) != 1:
        raise click.UsageError(
            "Give TARGET after one of: FILE, --add and --remove, --promote, --discard-candidate."
        )
    for name in ("candidate", "keep_sets"):
        if options[name] and file is None:
            raise click.UsageError(f"The option --{name.replace('_', '-')} needs FILE.")
    if options["name"] is not None and not has_changes:
        raise click.UsageError("The option --set needs --add or --remove.")
    from corsguard.cli.fleet.publish import run_publish

    sys.exit(run_publish(file, target, options, _build_options(options)))


@click.command("rollback", short_help="Publish an earlier version again.")
@click.argument("version", type=click.IntRange(1))
@click.argument("target")
@_add_publish_options
def rollback(version: int, target: str, **options: Any) -> None:
    """Publish VERSION of the store TARGET again, as a new version after the newest one.

    What that changes is shown first. Exits as `corsguard publish` does.
    """
    from corsguard.cli.fleet.publish import run_rollback

    sys.exit(run_rollback(version, target, _build_options(options)))


@click.command("history", short_help="List what has been published.")
@click.argument("target")
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Number of versions."
)
@click.option("--show", type=click.IntRange(1), metavar="VERSION", help="Print this one instead.")
@_FORMAT
def history(target: str, limit: int, show: int | None, form: str) -> None:
    """List the versions of the store TARGET, the newest first: when, by whom, and why.

    Exits with 0, or with 2 if TARGET can't be used.
    """
    from corsguard.cli.fleet.history import run_history, run_show

    if show is not None:
        sys.exit(run_show(target, show))
    sys.exit(run_history(target, limit, as_json=form == "json"))


@click.command("status", short_help="Show which version each worker runs.")
@click.argument("target")
@_FORMAT
def status(target: str, form: str) -> None:
    """Show which version of the store TARGET each worker runs, since when, and with what error.

    For a candidate, also which requests it would decide otherwise, added up over all workers.

    Exits with 0 if all workers that have reported run the newest version, 1 if one does not or
    has an error, 2 if TARGET can't be used.
    """
    from corsguard.cli.fleet.status import run_status

    sys.exit(run_status(target, as_json=form == "json"))


def _build_options(options: dict[str, Any]) -> PublishOptions:
    from corsguard.cli.fleet.publication import PublishOptions
    from corsguard.sources.signature import SignatureError, load_signing_key

    if options["sign"] is not None and options["unsigned"]:
        raise click.UsageError("The options --sign and --unsigned exclude each other.")
    try:
        key = None if options["sign"] is None else load_signing_key(options["sign"])
    except SignatureError as error:
        fail(str(error))
    return PublishOptions(
        options["message"],
        key,
        options["unsigned"],
        options["dry_run"],
        options["yes"],
        options.get("version"),
    )
