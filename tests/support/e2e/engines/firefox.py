"""Firefox, through WebDriver BiDi, which it speaks without a driver."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from threading import Thread
from typing import Any

from support.e2e.engines.browser import PATIENCE, RealBrowser, build_environment, find_programs
from websocket import WebSocket, create_connection

# It is to ask nothing of anyone but the page's own servers.
PREFERENCES: dict[str, object] = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "app.update.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.geoip.url": "",
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
}


class Firefox(RealBrowser):
    name = "firefox"

    def __init__(self, profile: Path) -> None:
        (browser,) = find_programs(["firefox-esr"], "firefox-esr")
        preferences = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in PREFERENCES.items()
        ]
        (profile / "user.js").write_text("".join(preferences), encoding="utf-8")
        command = [browser, "--headless", "--no-remote", "--profile", str(profile)]
        self._process = subprocess.Popen(
            [*command, "--remote-debugging-port=0", "about:blank"],
            env=build_environment(profile),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        self._session = Session(self._listening())
        # What else it says is of no interest, and must not fill the pipe.
        self._rest = Thread(target=self._process.communicate, daemon=True)
        self._rest.start()
        session = self._session.send("session.new", capabilities={})
        self.version: str = session["capabilities"]["browserVersion"]
        self._session.send("session.subscribe", events=["log.entryAdded"])
        tree = self._session.send("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    def open(self, url: str) -> None:
        self._session.send(
            "browsingContext.navigate", context=self._context, url=url, wait="complete"
        )

    def console(self) -> list[str]:
        self._session.send("session.status")  # after it, all earlier lines have arrived
        lines, self._session.console_lines = self._session.console_lines, []
        return lines

    def close(self) -> None:
        self._session.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._rest.join()

    def _call(self, function: str, text: str) -> str:
        answer = self._session.send(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"type": "string", "value": text}],
            target={"context": self._context},
            awaitPromise=True,
        )
        value: str = answer["result"]["value"]
        return value

    def _listening(self) -> str:
        """Return the URL that Firefox prints for commands."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            _, found, url = line.partition("WebDriver BiDi listening on ")
            if found:
                return url.strip()
        raise AssertionError("Firefox did not start")


class Session:
    """A WebDriver BiDi session: one command at a time, and the console lines meanwhile."""

    def __init__(self, url: str) -> None:
        # It lets no page in, and takes a client with an `Origin` for one.
        self._socket: WebSocket = create_connection(
            f"{url}/session", timeout=PATIENCE, suppress_origin=True
        )
        self._sent = 0
        self.console_lines: list[str] = []

    def send(self, method: str, **params: object) -> Any:
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("method") == "log.entryAdded":
                self.console_lines.append(message["params"]["text"])
            elif message.get("id") == self._sent:
                assert message["type"] == "success", message
                return message["result"]

    def close(self) -> None:
        self._socket.close()
