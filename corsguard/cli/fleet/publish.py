"""`corsguard publish` and `corsguard rollback`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from corsguard.cli.fleet.drafts import (
    draft_candidate,
    draft_changes,
    draft_document,
    draft_without_candidate,
    keep_sets,
    read_document_text,
)
from corsguard.cli.fleet.publication import Publisher, PublishOptions
from corsguard.cli.fleet.targets import open_target
from corsguard.cli.terminal import open_console
from corsguard.sources.signature import remove_signature

__all__ = ["run_publish", "run_rollback"]


def run_publish(
    file: str | None, target: str, actions: Mapping[str, Any], options: PublishOptions
) -> int:
    """Publish a file to a target, or what `actions` ask for. Return the exit code.

    `actions` are the options of the command that say what is published.
    """
    console = open_console()
    with open_target(target) as opened:
        publisher = Publisher(opened, options, console)
        if file is not None:
            return _publish_file(publisher, file, actions, console)
        state = publisher.require_state()
        if actions["add"] or actions["remove"]:
            draft = draft_changes(
                actions["name"], actions["add"], actions["remove"], state, console
            )
        else:
            publisher.verify(state)
            draft = draft_without_candidate(state, console, is_promoted=actions["promote"])
        return publisher.publish(state, draft)


def _publish_file(
    publisher: Publisher, file: str, actions: Mapping[str, Any], console: Console
) -> int:
    text = read_document_text(file)
    is_candidate = actions["candidate"]
    state = publisher.require_state() if is_candidate else publisher.load()
    if state and (is_candidate or actions["keep_sets"]):
        publisher.verify(state)
    if state and actions["keep_sets"]:
        text = keep_sets(text, state)
    if state and is_candidate:
        return publisher.publish(state, draft_candidate(file, text, state, console))
    return publisher.publish(state, draft_document(file, text, state, console))


def run_rollback(version: int, target: str, options: PublishOptions) -> int:
    """Publish a version of a store again. Return the exit code."""
    console = open_console()
    with open_target(target) as opened:
        earlier = opened.load_version(version)
        message = options.message or f"rollback to version {version}"
        publisher = Publisher(opened, options._replace(message=message), console)
        state = publisher.require_state()
        publisher.verify(earlier)
        draft = draft_document(f"version {version}", remove_signature(earlier.text), state, console)
        return publisher.publish(state, draft)
