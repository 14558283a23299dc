"""Bottle with corsguard in front of it: any WSGI framework does it like this. Start it with

    python examples/bottle_app.py

Pages of http://localhost:3000 may read and change its greetings.
"""

from __future__ import annotations

import argparse
from wsgiref.simple_server import make_server

from bottle import Bottle, request

from corsguard import Policy
from corsguard_wsgi import CORSMiddleware

POLICY = Policy(
    allow_origins=["http://localhost:3000"],
    allow_methods=["PUT"],
    allow_headers=["Content-Type"],
)

greetings = {"en": "Hello"}


def greet(language: str) -> dict[str, str]:
    """Return a greeting. An unknown language fails, and the 500 has the CORS headers too."""
    return {"greeting": greetings[language]}


def translate(language: str) -> dict[str, str]:
    """Change a greeting."""
    greetings[language] = str(request.json["greeting"])
    return greet(language)


bottle = Bottle()
bottle.get("/greetings/<language>", callback=greet)
bottle.put("/greetings/<language>", callback=translate)
app = CORSMiddleware(bottle, POLICY)


def main() -> None:
    """Serve the application on this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    with make_server("localhost", parser.parse_args().port, app) as server:
        print(f"Serving at http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
