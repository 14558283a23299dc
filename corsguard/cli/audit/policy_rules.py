"""The differences between a server and its policy, by their cause.

`note` is the severity of what makes no difference to a browser or a cache.
"""

from __future__ import annotations

from corsguard.cli.audit.rule import Rule, Severity

__all__ = ["POLICY_RULES"]

_BLOCKED = "Pages that the policy allows are blocked."
_ONE_LAYER = (
    "Leave CORS to one layer. If corsguard answers, remove the headers from the proxy; or let the "
    "proxy drop those of the application."
)

_RULES = (
    Rule(
        "headers-missing",
        Severity.MEDIUM,
        "The CORS headers of the policy are missing",
        _BLOCKED,
        "Check that this application runs with this policy, and that no proxy removes "
        "Access-Control-* (nginx: `proxy_hide_header`, Apache: `Header unset`).",
    ),
    Rule(
        "headers-missing-on-path",
        Severity.MEDIUM,
        "One path lacks the headers that other paths have",
        "Pages that the policy allows are blocked on that path.",
        "In nginx, an `add_header` in a location drops all that it would inherit: repeat them "
        "there, or include them from one file. Otherwise, check that the same layer serves the "
        "path.",
    ),
    Rule(
        "origin-missing",
        Severity.MEDIUM,
        "An origin that the policy allows is not allowed",
        "Pages of that origin are blocked.",
        "Add the origin where the server lists its origins, or deploy the policy again.",
    ),
    Rule(
        "cache-ignores-vary",
        Severity.MEDIUM,
        "A cache ignores `Vary: Origin`",
        "A page gets the response that was stored for another page: an allowed page is blocked, "
        "depending on who came first.",
        "Make Origin a part of the key of the cache, or let it respect Vary (nginx: no "
        "`proxy_ignore_headers Vary`).",
    ),
    Rule(
        "wildcard-sent",
        Severity.MEDIUM,
        "`*` is sent where the policy lists origins",
        "Any page on the web reads these responses; behind a firewall, through a visitor's "
        "browser.",
        f"Send the request's Origin back only if the policy allows it. {_ONE_LAYER}",
    ),
    Rule(
        "cors-without-policy",
        Severity.MEDIUM,
        "A page is allowed on a path without CORS",
        "Pages read responses that the policy keeps to this service's own pages.",
        f"Remove the headers from the layer that adds them for every path. {_ONE_LAYER}",
        opens=True,
    ),
    Rule(
        "trailing-dot",
        Severity.LOW,
        "An origin is allowed with a dot after its host",
        "A page at the same host with a final dot, which is another origin, reads these responses.",
        "Compare whole origins, character for character.",
        opens=True,
    ),
    Rule(
        "credentials-added",
        Severity.HIGH,
        "Credentials are allowed, but not by the policy",
        "Pages read and send what the visitor's cookies allow.",
        f"Remove Access-Control-Allow-Credentials. {_ONE_LAYER}",
    ),
    Rule(
        "credentials-missing",
        Severity.MEDIUM,
        "Credentials are not allowed, but the policy allows them",
        "Requests with cookies are blocked.",
        "Send `Access-Control-Allow-Credentials: true` with every response to an allowed origin.",
    ),
    Rule(
        "header-repeated",
        Severity.MEDIUM,
        "A header that has one value is sent more than once",
        "Two layers set CORS headers. Browsers join the values, which are not valid then, so they "
        "block the page.",
        _ONE_LAYER,
    ),
    Rule(
        "methods-missing",
        Severity.MEDIUM,
        "A method of the policy is not allowed",
        "Requests with that method are blocked.",
        "Add the method where the server lists its methods, or deploy the policy again.",
    ),
    Rule(
        "methods-wider",
        Severity.LOW,
        "A method is allowed, but not by the policy",
        "Pages of allowed origins send requests with that method.",
        f"Remove the method, or add it to `allow_methods`. {_ONE_LAYER}",
    ),
    Rule(
        "request-headers-missing",
        Severity.MEDIUM,
        "A request header of the policy is not allowed",
        "Requests with that header are blocked.",
        "Add the header where the server lists its headers, or deploy the policy again.",
    ),
    Rule(
        "request-headers-wider",
        Severity.LOW,
        "A request header is allowed, but not by the policy",
        "Pages of allowed origins send requests with that header.",
        f"Remove the header, or add it to `allow_headers`. {_ONE_LAYER}",
    ),
    Rule(
        "expose-missing",
        Severity.MEDIUM,
        "A response header of the policy is not exposed",
        "Scripts can't read that header.",
        "Add it to Access-Control-Expose-Headers with every response, or deploy the policy again.",
    ),
    Rule(
        "preflight-redirected",
        Severity.MEDIUM,
        "Preflights are redirected",
        "Browsers follow no redirect of a preflight: every request that needs one is blocked.",
        "Respond to OPTIONS before the redirect to https or to a login. If every request is "
        "redirected, call the URL that it leads to.",
    ),
    Rule(
        "preflight-not-answered",
        Severity.MEDIUM,
        "A layer in front does not accept OPTIONS",
        "Every request that needs a preflight is blocked.",
        "Let OPTIONS pass to the application: a list of methods in the proxy (nginx: "
        "`limit_except`, Apache: `<Limit>`) or a static location answers instead.",
    ),
    Rule(
        "preflight-refused",
        Severity.MEDIUM,
        "Preflights fail",
        "Browsers need a status from 200 to 299: every request that needs a preflight is blocked.",
        "Find the layer that answers OPTIONS with this status, such as a firewall or a rate "
        "limit, and let preflights pass.",
    ),
    Rule(
        "preflight-swallowed",
        Severity.MEDIUM,
        "A layer answers preflights itself, without the headers of the policy",
        "Every request that needs a preflight is blocked.",
        "Remove the answer to OPTIONS from the proxy, so that preflights reach corsguard, or send "
        "all headers with it (nginx: an `if` block inherits no `add_header` if it has its own).",
    ),
    Rule(
        "gateway-errors-without-headers",
        Severity.LOW,
        "The proxy's own errors are sent without CORS headers",
        "While the application is down, the page gets a network error instead of the status.",
        "The proxy sets CORS headers, so let it set them with errors too (nginx: `always`, "
        "HAProxy: `http-after-response`, Apache: `Header always`, Caddy: `handle_errors`).",
    ),
    Rule(
        "case-ignored",
        Severity.NOTE,
        "An origin is allowed in upper case",
        "None: browsers send hosts in lower case.",
        "Compare origins character for character.",
    ),
    Rule(
        "credentials-on-refused",
        Severity.NOTE,
        "Credentials are allowed without an allowed origin",
        "None: browsers need Access-Control-Allow-Origin first. But a layer sends the header "
        "whoever asks.",
        f"Send it to allowed origins only. {_ONE_LAYER}",
    ),
    Rule(
        "headers-added",
        Severity.NOTE,
        "A header is sent that the policy does not send",
        "None: browsers do not use it in this response. But a second layer sets CORS headers.",
        _ONE_LAYER,
    ),
    Rule(
        "preflight-status",
        Severity.NOTE,
        "A preflight has another status",
        "None: browsers treat both alike.",
        "Let preflights reach corsguard if you want its status.",
    ),
    Rule(
        "preflight-vary",
        Severity.NOTE,
        "A preflight lacks names in `Vary`",
        "None: no standard cache stores a response to OPTIONS.",
        "Add the names if a cache in front does store it.",
    ),
    Rule(
        "max-age-differs",
        Severity.NOTE,
        "Preflights are cached for another time",
        "Pages send more preflights, or see a change of the policy later.",
        "Send the Access-Control-Max-Age of the policy.",
    ),
    Rule(
        "expose-wider",
        Severity.NOTE,
        "A response header is exposed, but not by the policy",
        "Scripts of allowed pages read it. An application may expose headers by itself.",
        "Add it to `expose_headers`, so that the policy is complete.",
    ),
    Rule(
        "origin-instead-of-wildcard",
        Severity.NOTE,
        "The origin is sent where the policy sends `*`",
        "None, as long as `Vary: Origin` is sent too.",
        "Send `*`, so that caches store one response for all pages.",
    ),
)

POLICY_RULES = {rule.code: rule for rule in _RULES}
"""code -> rule"""
