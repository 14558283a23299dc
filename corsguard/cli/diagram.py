"""An exchange as a sequence diagram: the page on the left, the server on the right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from corsguard.browser import Answer, Blocked, Clause, Exchange, Headers, Hop, Step
from corsguard.browser.url import URL
from corsguard.cli.terminal import printable, wrapped

__all__ = ["draw", "verdict"]

_WIDEST = 100
_NARROWEST = 30
_LONGEST_VALUE = 400
_LONGEST_WORDS = 200
_GAP = 2
_CHECK_INDENT = "  "
_FIELD_INDENT = "     "
# Of a request, all is shown that the script sets; of what the browser adds, this is not.
_UNTOLD = frozenset({"host", "referer", "accept", "content-length", "user-agent"})
_TOLD = frozenset(
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
    "preflight": "The browser asks first: may the page send this? (a preflight)",
    "request": "The browser sends the script's request",
}
_NO_PREFLIGHT = "The browser sends the script's request at once, without a preflight"


class _Signs(NamedTuple):
    life: str
    line: str
    right: str
    left: str
    yes: str
    no: str


_DRAWN = _Signs("│", "─", "▶", "◀", "✓", "✗")
_ASCII = _Signs("|", "-", ">", "<", "+", "x")


def draw(console: Console, exchange: Exchange) -> None:
    """Print what went over the wire, and what the browser made of it."""
    _Diagram(console, exchange).draw()


class _Diagram:
    def __init__(self, console: Console, exchange: Exchange) -> None:
        self._console = console
        self._exchange = exchange
        self._signs = _DRAWN if console.encoding.startswith("utf") else _ASCII
        self._width = max(min(console.width, _WIDEST), _NARROWEST)
        self._room = self._width - 4  # between the life lines and a space beside each

    def draw(self) -> None:
        self._heads()
        self._text("The script calls fetch(), and the browser looks at the request", "italic")
        hops = iter(self._exchange.hops)
        was_asked = False
        for step in self._exchange.steps:
            # A step of the network is the request itself, whose arrows say it all.
            hop = next(hops, None) if step.clause is Clause.NETWORK_FETCH else None
            if hop is None:
                self._step(step)
                continue
            self._hop(hop, was_asked=was_asked)
            was_asked = True
            if not step.passed:
                self._step(step)
        self._row()

    def _heads(self) -> None:
        page = printable(self._exchange.page)
        if page == "null":
            page = "a page without an origin (null)"
        server = self._origin(self._exchange.request.url)
        left, right = f"page: {page}", f"server: {server}"
        gap = self._width - len(left) - len(right)
        if gap < 2:
            wrapped(self._console, left, "bold")
            for line in Text(right, "bold").wrap(self._console, self._width, overflow="fold"):
                self._print(Text(" " * (self._width - line.cell_len)).append(line))
        else:
            self._print(Text(f"{left}{' ' * gap}{right}", "bold"))
        self._row()

    def _hop(self, hop: Hop, *, was_asked: bool) -> None:
        sent, answer = hop.sent, hop.answer
        self._row()
        first = hop.purpose == "request" and not was_asked
        self._text(_NO_PREFLIGHT if first else _PURPOSES[hop.purpose], "italic")
        self._arrow(f"{sent.method} {self._target(sent.url)}", to_server=True)
        self._fields(_told_request(sent.headers))
        if answer is None:
            self._arrow("no answer", to_server=False, style="bold red")
        else:
            self._arrow(str(answer.status), to_server=False)
            self._fields(_told_answer(answer))
            self._words(answer)

    def _step(self, step: Step) -> None:
        sign, style = (self._signs.yes, "green") if step.passed else (self._signs.no, "bold red")
        text = Text.assemble(
            (f"{sign} ", style), (printable(step.text), "" if step.passed else style)
        )
        clause = Text(printable(step.clause.words), "dim")
        rows = self._rows(text, _CHECK_INDENT)
        gap = self._room - rows[-1].cell_len - clause.cell_len
        if clause.cell_len > self._room:
            rows.extend(self._rows(clause))
        elif gap < _GAP:
            rows.append(Text(" " * (self._room - clause.cell_len)).append(clause))
        else:
            rows[-1].append(" " * gap).append(clause)
        for row in rows:
            self._row(row)

    def _arrow(self, label: str, *, to_server: bool, style: str = "bold cyan") -> None:
        signs = self._signs
        lines = Text(printable(label)).wrap(self._console, self._room - 8, overflow="fold")
        for line in lines[:-1]:
            self._row(Text(f"   {line.plain}", style))
        last = lines[-1].plain.rstrip()
        head, tail = ("", signs.right) if to_server else (signs.left, "")
        start = f"{head}{signs.line * (2 - len(head))} {last} "
        rest = signs.line * (self._room - Text(start).cell_len - len(tail))
        self._row(Text(f"{start}{rest}{tail}", style))

    def _words(self, answer: Answer) -> None:
        """What an error says of itself, where that is one line of text."""
        if answer.status < 400 or not Headers(answer.headers).get("content-type", "").startswith(
            "text/plain"
        ):
            return
        words = answer.body.decode("utf-8", "replace").strip()
        if words and len(words) <= _LONGEST_WORDS and "\n" not in words:
            for row in self._rows(Text(printable(words)), _FIELD_INDENT, first=_FIELD_INDENT[:-2]):
                self._row(row)

    def _fields(self, fields: Iterable[tuple[str, str]]) -> None:
        for name, value in fields:
            shown = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
            line = Text.assemble((printable(name), "cyan"), f": {printable(shown)}")
            for row in self._rows(line, _FIELD_INDENT, first=_FIELD_INDENT[:-2]):
                self._row(row)

    def _text(self, text: str, style: str = "") -> None:
        for row in self._rows(Text(text, style)):
            self._row(row)

    def _rows(self, text: Text, indent: str = "", first: str = "") -> list[Text]:
        """Text in as many rows as it takes, the first of them after another indent."""
        rows: list[Text] = []
        for line in text.wrap(self._console, self._room - len(indent), overflow="fold"):
            line.rstrip()
            rows.append(Text(indent if rows else first).append(line))
        return rows

    def _row(self, text: Text | None = None) -> None:
        """One row between the life lines."""
        text = text or Text()
        pad = " " * (self._room - text.cell_len)
        life = (self._signs.life, "dim")
        self._print(Text.assemble(life, " ", text, pad, " ", life))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _origin(self, url: str) -> str:
        origin = URL.parse(url).origin
        return printable(url if origin.opaque else str(origin))

    def _target(self, url: str) -> str:
        """The path, and the origin where it is another one than at first."""
        parsed = URL.parse(url)
        is_first = str(parsed.origin) == self._origin(self._exchange.request.url)
        return parsed.target if is_first else url


def _told_request(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        if name.lower() not in _UNTOLD and not name.lower().startswith("sec-"):
            yield name, value


def _told_answer(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers:
        if name.lower() in _TOLD or name.lower().startswith("access-control-"):
            yield name, value


def verdict(console: Console, exchange: Exchange, evidence: Iterable[tuple[str, str]] = ()) -> None:
    """Print how it ended for the script, in words and in those of the console.

    `evidence` is what else shows why: a label and a text each.
    """
    console.print()
    outcome = exchange.outcome
    if isinstance(outcome, Blocked):
        step = outcome.step
        wrapped(console, f"Blocked: the script gets an error. {_reached(exchange)}", "bold red")
        _row(console, "why", f"{step.text} [{outcome.reason}]")
        _row(console, "clause", f"{step.clause.words}, {step.clause}")
    else:
        gets = "the answer" if outcome.status else "an answer that it can't read"
        but = ", if nothing below prevents it" if exchange.caveats else ""
        wrapped(console, f"Allowed: the script gets {gets}{but}.", "bold green")
        if outcome.status:
            _row(console, "status", str(outcome.status))
            _row(console, "headers", ", ".join(outcome.headers) or "none that it may read")
    if exchange.console:
        _row(console, "console", exchange.console)
    for label, text in evidence:
        _row(console, label, text)
    for caveat in exchange.caveats:
        _row(console, "beware", caveat.text, "yellow")


def _reached(exchange: Exchange) -> str:
    """How far a blocked request has come, which is what surprises most."""
    if any(hop.purpose == "request" and hop.answer for hop in exchange.hops):
        return "The server has got the request, and only its answer is kept back."
    if exchange.preflights:
        return "Its request was never sent, only asked about."
    return "No server has got its request."


def _row(console: Console, label: str, value: str, style: str = "") -> None:
    wrapped(console, printable(value), style, f"  {label:<9}")
