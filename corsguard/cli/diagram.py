"""An exchange as a sequence diagram, with the page on the left and the server on the right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from corsguard.browser import Answer, Blocked, Clause, Exchange, Headers, Hop, Step
from corsguard.browser.url import URL
from corsguard.cli.terminal import make_printable, print_wrapped

__all__ = ["draw_exchange", "print_verdict"]

_MAX_WIDTH = 100
_MIN_WIDTH = 30
_MAX_VALUE = 400
_MAX_ERROR_TEXT = 200
_GAP = 2
_CHECK_INDENT = "  "
_FIELD_INDENT = "     "
# Header fields that browsers add to each request, and that CORS does not depend on.
_HIDDEN_REQUEST_FIELDS = frozenset({"host", "referer", "accept", "content-length", "user-agent"})
_SHOWN_RESPONSE_FIELDS = frozenset(
    {
        "vary",
        "location",
        "set-cookie",
        "cross-origin-resource-policy",
        "content-disposition",
        "server",
        "via",
    }
)
_PURPOSES = {
    "preflight": "The browser sends a preflight: may the page send this request?",
    "request": "The browser sends the script's request",
}
_NO_PREFLIGHT = "The browser sends the script's request without a preflight"


class _Signs(NamedTuple):
    lifeline: str
    line: str
    right: str
    left: str
    passed: str
    failed: str


_UNICODE = _Signs("│", "─", "▶", "◀", "✓", "✗")
_ASCII = _Signs("|", "-", ">", "<", "+", "x")


def draw_exchange(console: Console, exchange: Exchange) -> None:
    """Print the requests and responses of an exchange, and each step of the browser."""
    _Diagram(console, exchange).draw()


class _Diagram:
    def __init__(self, console: Console, exchange: Exchange) -> None:
        self._console = console
        self._exchange = exchange
        self._signs = _UNICODE if console.encoding.startswith("utf") else _ASCII
        self._width = max(min(console.width, _MAX_WIDTH), _MIN_WIDTH)
        self._room = self._width - 4  # between the lifelines and a space beside each

    def draw(self) -> None:
        self._draw_heads()
        self._draw_text("The script calls fetch(), and the browser checks the request", "italic")
        hops = iter(self._exchange.hops)
        has_sent = False
        for step in self._exchange.steps:
            # A network step is the request itself, which is drawn as arrows.
            hop = next(hops, None) if step.clause is Clause.NETWORK_FETCH else None
            if hop is None:
                self._draw_step(step)
                continue
            self._draw_hop(hop, has_sent=has_sent)
            has_sent = True
            if not step.passed:
                self._draw_step(step)
        self._draw_row()

    def _draw_heads(self) -> None:
        page = make_printable(self._exchange.page)
        if page == "null":
            page = "a page without an origin (null)"
        server = self._format_origin(self._exchange.request.url)
        left, right = f"page: {page}", f"server: {server}"
        gap = self._width - len(left) - len(right)
        if gap < 2:
            print_wrapped(self._console, left, "bold")
            for line in Text(right, "bold").wrap(self._console, self._width, overflow="fold"):
                self._print(Text(" " * (self._width - line.cell_len)).append(line))
        else:
            self._print(Text(f"{left}{' ' * gap}{right}", "bold"))
        self._draw_row()

    def _draw_hop(self, hop: Hop, *, has_sent: bool) -> None:
        sent, answer = hop.sent, hop.answer
        self._draw_row()
        first = hop.purpose == "request" and not has_sent
        self._draw_text(_NO_PREFLIGHT if first else _PURPOSES[hop.purpose], "italic")
        self._draw_arrow(f"{sent.method} {self._format_target(sent.url)}", to_server=True)
        self._draw_fields(_select_request_fields(sent.headers))
        if answer is None:
            self._draw_arrow("no response", to_server=False, style="bold red")
        else:
            self._draw_arrow(str(answer.status), to_server=False)
            self._draw_fields(_select_response_fields(answer))
            self._draw_error_text(answer)

    def _draw_step(self, step: Step) -> None:
        sign, style = (
            (self._signs.passed, "green") if step.passed else (self._signs.failed, "bold red")
        )
        text = Text.assemble(
            (f"{sign} ", style), (make_printable(step.text), "" if step.passed else style)
        )
        clause = Text(make_printable(step.clause.words), "dim")
        rows = self._wrap(text, _CHECK_INDENT)
        gap = self._room - rows[-1].cell_len - clause.cell_len
        if clause.cell_len > self._room:
            rows.extend(self._wrap(clause))
        elif gap < _GAP:
            rows.append(Text(" " * (self._room - clause.cell_len)).append(clause))
        else:
            rows[-1].append(" " * gap).append(clause)
        for row in rows:
            self._draw_row(row)

    def _draw_arrow(self, label: str, *, to_server: bool, style: str = "bold cyan") -> None:
        signs = self._signs
        lines = Text(make_printable(label)).wrap(self._console, self._room - 8, overflow="fold")
        for line in lines[:-1]:
            self._draw_row(Text(f"   {line.plain}", style))
        last = lines[-1].plain.rstrip()
        head, tail = ("", signs.right) if to_server else (signs.left, "")
        start = f"{head}{signs.line * (2 - len(head))} {last} "
        rest = signs.line * (self._room - Text(start).cell_len - len(tail))
        self._draw_row(Text(f"{start}{rest}{tail}", style))

    def _draw_error_text(self, answer: Answer) -> None:
        """Draw the body of an error response, where that is one line of text."""
        if answer.status < 400 or not Headers(answer.headers).get("content-type", "").startswith(
            "text/plain"
        ):
            return
        text = answer.body.decode("utf-8", "replace").strip()
        if text and len(text) <= _MAX_ERROR_TEXT and "\n" not in text:
            for row in self._wrap(
                Text(make_printable(text)), _FIELD_INDENT, first=_FIELD_INDENT[:-2]
            ):
                self._draw_row(row)

    def _draw_fields(self, fields: Iterable[tuple[str, str]]) -> None:
        for name, value in fields:
            shown = value if len(value) <= _MAX_VALUE else f"{value[:_MAX_VALUE]}..."
            line = Text.assemble((make_printable(name), "cyan"), f": {make_printable(shown)}")
            for row in self._wrap(line, _FIELD_INDENT, first=_FIELD_INDENT[:-2]):
                self._draw_row(row)

    def _draw_text(self, text: str, style: str = "") -> None:
        for row in self._wrap(Text(text, style)):
            self._draw_row(row)

    def _wrap(self, text: Text, indent: str = "", first: str = "") -> list[Text]:
        """Return text in as many rows as it needs, the first one indented by `first`."""
        rows: list[Text] = []
        for line in text.wrap(self._console, self._room - len(indent), overflow="fold"):
            line.rstrip()
            rows.append(Text(indent if rows else first).append(line))
        return rows

    def _draw_row(self, text: Text | None = None) -> None:
        """Print one row between the lifelines."""
        text = text or Text()
        pad = " " * (self._room - text.cell_len)
        life = (self._signs.lifeline, "dim")
        self._print(Text.assemble(life, " ", text, pad, " ", life))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _format_origin(self, url: str) -> str:
        origin = URL.parse(url).origin
        return make_printable(url if origin.opaque else str(origin))

    def _format_target(self, url: str) -> str:
        """Return the path of a URL, and its origin where a redirect has changed that."""
        parsed = URL.parse(url)
        is_first = str(parsed.origin) == self._format_origin(self._exchange.request.url)
        return parsed.target if is_first else url


def _select_request_fields(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        if name.lower() not in _HIDDEN_REQUEST_FIELDS and not name.lower().startswith("sec-"):
            yield name, value


def _select_response_fields(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers:
        if name.lower() in _SHOWN_RESPONSE_FIELDS or name.lower().startswith("access-control-"):
            yield name, value


def print_verdict(
    console: Console, exchange: Exchange, evidence: Iterable[tuple[str, str]] = ()
) -> None:
    """Print whether the script gets a response, why, and what a browser's console shows.

    `evidence` is (label, text) of whatever else explains it.
    """
    console.print()
    outcome = exchange.outcome
    if isinstance(outcome, Blocked):
        step = outcome.step
        print_wrapped(
            console,
            f"Blocked: the script gets an error. {_describe_progress(exchange)}",
            "bold red",
        )
        _print_row(console, "why", f"{step.text} [{outcome.reason}]")
        _print_row(console, "clause", f"{step.clause.words}, {step.clause}")
    else:
        gets = "the response" if outcome.status else "a response that it can't read"
        unless = ", unless a warning below applies" if exchange.caveats else ""
        print_wrapped(console, f"Allowed: the script gets {gets}{unless}.", "bold green")
        if outcome.status:
            _print_row(console, "status", str(outcome.status))
            _print_row(
                console, "headers", ", ".join(outcome.headers) or "none that the script may read"
            )
    if exchange.console:
        _print_row(console, "console", exchange.console)
    for label, text in evidence:
        _print_row(console, label, text)
    for caveat in exchange.caveats:
        _print_row(console, "warning", caveat.text, "yellow")


def _describe_progress(exchange: Exchange) -> str:
    """Return whether a blocked request reached the server."""
    if any(hop.purpose == "request" and hop.answer for hop in exchange.hops):
        return "The server received the request, but the browser hides the response."
    if exchange.preflights:
        return "Only a preflight was sent, not the request."
    return "The request reached no server."


def _print_row(console: Console, label: str, value: str, style: str = "") -> None:
    print_wrapped(console, make_printable(value), style, f"  {label:<9}")
