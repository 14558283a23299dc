"""Chromium, Firefox and WebKit behind one small interface."""

from support.e2e.engines.browser import RealBrowser, ScriptError
from support.e2e.engines.chromium import Chromium
from support.e2e.engines.firefox import Firefox
from support.e2e.engines.webkit import WebKit

ENGINES: dict[str, type[Chromium | Firefox | WebKit]] = {
    each.name: each for each in (Chromium, Firefox, WebKit)
}

__all__ = ["ENGINES", "Chromium", "Firefox", "RealBrowser", "ScriptError", "WebKit"]
