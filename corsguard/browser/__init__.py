"""A model of the browser: the requests that it sends, and the responses that scripts see."""

from corsguard.browser.assertions import assert_cors
from corsguard.browser.browser import Browser
from corsguard.browser.clauses import Clause
from corsguard.browser.cookies import Cookie
from corsguard.browser.exchange import (
    Blocked,
    BlockReason,
    Caveat,
    EngineName,
    Exchange,
    Hop,
    Refusal,
    Step,
)
from corsguard.browser.messages import Answer, Headers, Request, Response, Send, SendError, Sent

__all__ = [
    "Answer",
    "BlockReason",
    "Blocked",
    "Browser",
    "Caveat",
    "Clause",
    "Cookie",
    "EngineName",
    "Exchange",
    "Headers",
    "Hop",
    "Refusal",
    "Request",
    "Response",
    "Send",
    "SendError",
    "Sent",
    "Step",
    "assert_cors",
]
