"""`manage.py corsguard check`, `manage.py corsguard routes` and `manage.py corsguard explain`."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser
from typing import IO, Any, cast
from warnings import catch_warnings, simplefilter

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from corsguard import Guard, PolicyError, PolicyWarning
from corsguard.cli.options import add_options
from corsguard_django.checks import TAG
from corsguard_django.configuration import load_views
from corsguard_django.listing import rows_of


class Command(BaseCommand):
    """What a project's CORS configuration says, and whether it is right."""

    help = "Checks the CORS configuration, shows which policy holds where, or explains a request."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        # Django's own options after the action too; those not given leave what is before it.
        base = BaseCommand()
        base.requires_system_checks = ()
        inherited = base.create_parser("", "", add_help=False, argument_default=SUPPRESS)

        def add(action: str, about: str) -> ArgumentParser:
            return actions.add_parser(
                action, help=about, parents=[inherited], formatter_class=DjangoHelpFormatter
            )

        add("check", "run the system checks of corsguard alone")
        add("routes", "list every URL with the policy that applies to it")
        about = "play what a browser does with a request to a URL, without calling any view"
        add_options(add("explain", about))

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        if action == "check":
            self.check(tags=[TAG], display_num_errors=True)
            return
        try:
            with catch_warnings():
                simplefilter("ignore", PolicyWarning)  # for `check` to tell
                guard = load_views().guard
        except PolicyError as error:
            raise CommandError(str(error), returncode=2 if action == "explain" else 1) from None
        if action == "explain":
            self._explain(guard, options)
        else:
            self._routes(guard)

    def _explain(self, guard: Guard, options: dict[str, Any]) -> None:
        """Exits with 1 where the request is blocked, and with 2 where it can't be told."""
        from corsguard.cli.explain import explain, in_setting
        from corsguard.explain.question import UsageError, build_question
        from corsguard_django.rehearsal import stage_at

        try:
            question = build_question(options["url"], options)
            code = explain(
                question,
                guard,
                stage_at(question.origin),
                in_setting(getattr(settings, "CORSGUARD", {}), "CORSGUARD"),
                cast(IO[str], self.stdout),
            )
        except UsageError as error:
            raise CommandError(str(error), returncode=2) from None
        except ImportError as error:
            raise _missing(error, 2) from None
        if code:
            sys.exit(code)

    def _routes(self, guard: Guard) -> None:
        from corsguard.cli.routes import write_routes

        try:
            write_routes(rows_of(guard), cast(IO[str], self.stdout))
        except ImportError as error:
            raise _missing(error, 1) from None


def _missing(error: ImportError, code: int) -> CommandError:
    message = f'{error}; this needs: pip install "corsguard[cli]"'
    return CommandError(message, returncode=code)
