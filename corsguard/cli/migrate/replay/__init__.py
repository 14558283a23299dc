"""The replay of generated exchanges through two applications, and what differs for pages."""

from corsguard.cli.migrate.replay.differences import Difference, compare
from corsguard.cli.migrate.replay.exchanges import Exchange, Samples, generate_exchanges
from corsguard.cli.migrate.replay.findings import Change
from corsguard.cli.migrate.replay.judge import Verdict, judge
from corsguard.cli.migrate.replay.replay import replay

__all__ = [
    "Change",
    "Difference",
    "Exchange",
    "Samples",
    "Verdict",
    "compare",
    "generate_exchanges",
    "judge",
    "replay",
]
