"""Chromium, Firefox and WebKit behind one small interface."""

from support.engines.browser import RealBrowser, ScriptError
from support.engines.chromium import Chromium
from support.engines.firefox import Firefox
from support.engines.webkit import WebKit

ENGINES: dict[str, type[Chromium | Firefox | WebKit]] = {
    each.name: each for each in (Chromium, Firefox, WebKit)
}

__all__ = ["ENGINES", "Chromium", "Firefox", "RealBrowser", "ScriptError", "WebKit"]
