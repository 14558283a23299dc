"""Configurations to try in the demo, as people write them, and the policies that say the same."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Preset", "build_policy_text", "list_presets"]


class Preset(NamedTuple):
    """A configuration of a library, and the policy that says the same."""

    name: str
    title: str
    library: str
    """The library that the snippet is written for."""
    snippet: str
    about: str
    """The lesson, in one sentence."""
    toml: str

    def as_dict(self) -> dict[str, str]:
        """Return a dict for JSON: attribute -> value, but "from" -> the library."""
        return {("from" if key == "library" else key): text for key, text in self._asdict().items()}


def build_policy_text(frontend: str) -> str:
    """Return the policy that the demo starts with. `frontend` is the origin that it lists."""
    return f"""\
# The API follows while you type.

# The pages that may read responses,
allow_origins = ["{frontend}"]
# with the cookies of their users.
allow_credentials = true
# GET, HEAD and POST need no entry.
allow_methods = ["PUT", "DELETE"]
allow_headers = ["Content-Type", "Authorization", "X-Demo-Trace"]
# The response headers that scripts may read.
expose_headers = ["X-Total-Count"]

# true: refuse unsafe requests of other sites, too.
enforce = false
"""


def list_presets(frontend: str) -> list[Preset]:
    """Return the presets, the right one last. `frontend` is the origin of the playground."""
    return [
        Preset(
            "express-any",
            "Any origin",
            "Express",
            "app.use(cors());",
            "Every page may read every response, which is right for public data only.",
            _ANY_ORIGIN.format(what="cors() in Express", and_more=_EXPRESS),
        ),
        Preset(
            "express-reflect",
            "Any origin, with cookies",
            "Express",
            "app.use(cors({ origin: true, credentials: true }));",
            "It allows whatever origin asks, so every site may act as a user who is signed in.",
            _ANY_ORIGIN.format(
                what="origin: true in Express", and_more=f"allow_credentials = true\n{_EXPRESS}"
            ),
        ),
        Preset(
            "fastapi-any",
            "Any origin, with cookies",
            "FastAPI",
            """\
app.add_middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)""",
            "Browsers refuse * with cookies, so Starlette sends the origin that asks instead.",
            _ANY_ORIGIN.format(
                what='allow_origins=["*"] in FastAPI',
                and_more='allow_credentials = true\nallow_methods = ["*"]\nallow_headers = ["*"]\n',
            ),
        ),
        Preset(
            "flask-any",
            "Any origin",
            "Flask",
            "CORS(app)",
            "Every page may read every response, which is right for public data only.",
            _ANY_ORIGIN.format(what="CORS(app) in Flask", and_more=_FLASK),
        ),
        Preset(
            "flask-credentials",
            "Any origin, with cookies",
            "Flask",
            "CORS(app, supports_credentials=True)",
            "It allows whatever origin asks, so every site may act as a user who is signed in.",
            _ANY_ORIGIN.format(
                what="supports_credentials in Flask",
                and_more=f"allow_credentials = true\n{_FLASK}",
            ),
        ),
        Preset(
            "unescaped-dot",
            "A regular expression with an unescaped dot",
            "FastAPI",
            """\
app.add_middleware(
    CORSMiddleware,
    allow_origin_regex="https://.*.example.com",
    allow_credentials=True,
)""",
            "A dot matches any character, so https://evil-example.com is allowed as well.",
            """\
# A file has no regular expressions, and needs none: a pattern says the same.
allow_origins = ["https://.*.example.com"]
allow_credentials = true
""",
        ),
        Preset(
            "null",
            "The origin null",
            "Express",
            f"""\
app.use(cors({{
  origin: ["{frontend}", "null"],
  credentials: true,
}}));""",
            "Local files send null, and so does a sandboxed frame on any site.",
            f"""\
allow_origins = ["{frontend}", "null"]
allow_credentials = true
{_EXPRESS}""",
        ),
        Preset(
            "preview-host",
            "Every preview deployment",
            "FastAPI",
            rf"""
app.add_middleware(
    CORSMiddleware,
    allow_origins=["{frontend}"],
    allow_origin_regex=r"https://.*\.vercel\.app",
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)""".lstrip(),
            "Anyone can deploy a page there, which may then act as a user who is signed in.",
            f"""\
allow_origins = ["{frontend}", "https://*.vercel.app"]
allow_credentials = true
allow_methods = ["*"]
allow_headers = ["*"]
""",
        ),
        Preset(
            "trailing-slash",
            "A slash at the end",
            "FastAPI",
            f"""\
app.add_middleware(
    CORSMiddleware,
    allow_origins=["{frontend}/"],
    allow_credentials=True,
)""",
            "No browser sends an origin with a slash, so the entry never matches.",
            f"""\
allow_origins = ["{frontend}/"]
allow_credentials = true
""",
        ),
        Preset(
            "right",
            "The right one",
            "corsguard",
            f"""\
Policy(
    allow_origins=["{frontend}"],
    allow_credentials=True,
    allow_methods=["PUT", "DELETE"],
    allow_headers=["Content-Type", "Authorization", "X-Demo-Trace"],
    expose_headers=["X-Total-Count"],
)""",
            "It lists the one origin that needs the API, and the methods and headers that it uses.",
            build_policy_text(frontend),
        ),
    ]


_ANY_ORIGIN = """\
# What {what} does.
allow_origins = ["*"]
{and_more}"""
_EXPRESS = """\
allow_methods = ["PUT", "PATCH", "DELETE"]
allow_headers = ["*"]
"""
_FLASK = """\
allow_methods = ["DELETE", "PATCH", "PUT"]
allow_headers = ["*"]
"""
