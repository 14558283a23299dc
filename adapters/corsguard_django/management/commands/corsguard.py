"""`manage.py corsguard check`, `manage.py corsguard routes` and `manage.py corsguard explain`."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser
from typing import IO, Any, Literal, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from corsguard import Guard, PolicyError
from corsguard.cli.options import add_options
from corsguard.policy.warning_filter import ignore_policy_warnings
from corsguard_django.checks import TAG
from corsguard_django.configuration import load_views
from corsguard_django.listing import rows_of


class Command(BaseCommand):
    """The command that checks, lists and explains the CORS policies of a project."""

    help = "Checks the CORS configuration, lists the policies by URL, or explains a request."
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        # Django's own options may follow the action. Those not given keep the value before it.
        base = BaseCommand()
        base.requires_system_checks = ()
        inherited = base.create_parser("", "", add_help=False, argument_default=SUPPRESS)

        def add(action: str, summary: str) -> ArgumentParser:
            return actions.add_parser(
                action, help=summary, parents=[inherited], formatter_class=DjangoHelpFormatter
            )

        add("check", "run only the system checks of corsguard")
        add("routes", "list every URL with the policy that applies to it")
        summary = "show how a browser handles a request to a URL, without calling any view"
        add_options(add("explain", summary))

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        if action == "check":
            self.check(tags=[TAG], display_num_errors=True)
            return
        try:
            with ignore_policy_warnings():  # `check` reports them
                guard = load_views().guard
        except PolicyError as error:
            raise CommandError(str(error), returncode=2 if action == "explain" else 1) from None
        if action == "explain":
            self._explain(guard, options)
        else:
            self._routes(guard)

    def _explain(self, guard: Guard, options: dict[str, Any]) -> None:
        """Explain a request. Exits with 1 if it is blocked, 2 if that can't be determined."""
        from corsguard.cli.change_format import build_setting_formatter
        from corsguard.cli.explain import run_explain
        from corsguard.explain.question import UsageError, build_question
        from corsguard_django.trial import build_trial

        try:
            question = build_question(options["url"], options)
            code = run_explain(
                question,
                guard,
                build_trial(question.origin),
                build_setting_formatter(getattr(settings, "CORSGUARD", {}), "CORSGUARD"),
                cast(IO[str], self.stdout),
            )
        except UsageError as error:
            raise CommandError(str(error), returncode=2) from None
        except ImportError as error:
            raise _build_missing_error(error, 2) from None
        if code:
            sys.exit(code)

    def _routes(self, guard: Guard) -> None:
        try:
            from corsguard.cli.route_listing import write_routes
        except ImportError as error:
            raise _build_missing_error(error, 1) from None

        write_routes(rows_of(guard), cast(IO[str], self.stdout))


def _build_missing_error(error: ImportError, code: int) -> CommandError:
    message = f'{error}; this needs: pip install "corsguard[cli]"'
    return CommandError(message, returncode=code)
