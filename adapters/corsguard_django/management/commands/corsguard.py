"""`manage.py corsguard`: its actions check, routes, explain and migrate."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser
from importlib.util import find_spec
from typing import IO, Any, Literal, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from corsguard import Guard, PolicyError
from corsguard.cli.options import add_options
from corsguard.errors import format_notes
from corsguard.policy.warning_filter import ignore_policy_warnings
from corsguard_django.checks import TAG
from corsguard_django.configuration import load_views
from corsguard_django.listing import rows_of

_NO_PEER = "there is nothing to migrate: corsheaders.middleware.CorsMiddleware is not in MIDDLEWARE"


class Command(BaseCommand):
    """The command that checks, lists and explains the CORS policies of a project."""

    help = (
        "Checks the CORS configuration, lists the policies by URL, explains a request, or "
        "translates the settings of django-cors-headers."
    )
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
        summary = "print the policies that say what django-cors-headers does"
        _add_migrate_options(add("migrate", summary))

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        if action == "check":
            self.check(tags=[TAG], display_num_errors=True)
            return
        if action == "migrate":
            self._migrate(options)
            return
        try:
            with ignore_policy_warnings():  # `check` reports them
                guard = load_views().guard
        except PolicyError as error:
            message = "\n".join([str(error), *format_notes(error.problems)])
            raise CommandError(message, returncode=2 if action == "explain" else 1) from None
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

    def _migrate(self, options: dict[str, Any]) -> None:
        """Translate the settings of django-cors-headers. Exits with the code of the command."""
        try:
            from corsguard.cli.migrate.command import MigrateOptions, migrate
        except ImportError as error:
            raise _build_missing_error(error, 2) from None
        from corsguard.cli.migrate.configuration import PeerError
        from corsguard.cli.migrate.peers import django_cors_headers

        configuration = None
        if find_spec("corsheaders") is not None:
            try:
                configuration = django_cors_headers.read_settings()
            except PeerError as error:
                raise CommandError(str(error), returncode=2) from None
        if configuration is None:
            raise CommandError(_NO_PEER, returncode=2)
        given = MigrateOptions(options["format"], not options["no_replay"], tuple(options["paths"]))
        output = cast(IO[str], self.stdout)
        code = migrate(configuration, "settings", given, output)
        if code:
            sys.exit(code)

    def _routes(self, guard: Guard) -> None:
        try:
            from corsguard.cli.route_listing import write_routes
        except ImportError as error:
            raise _build_missing_error(error, 1) from None

        write_routes(rows_of(guard), cast(IO[str], self.stdout))


def _add_migrate_options(parser: ArgumentParser) -> None:
    formats = ["text", "python", "toml", "json"]
    parser.add_argument("--format", choices=formats, default="text", help="Format of the policies.")
    parser.add_argument(
        "--no-replay", action="store_true", help="Do not compare the two by requests."
    )
    parser.add_argument(
        "--path",
        dest="paths",
        action="append",
        default=[],
        metavar="PATH",
        help="Path to compare by requests, in place of those of the URLconf. Repeatable.",
    )


def _build_missing_error(error: ImportError, code: int) -> CommandError:
    message = f'{error}; this needs: pip install "corsguard[cli]"'
    return CommandError(message, returncode=code)
