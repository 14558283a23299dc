// The calls that the page makes, one card each.
//
// code: what is shown of the call.      path, options: what is given to fetch().
// asks: why the browser must ask first.  lesson: what an answer that can be read goes to show.
// signIn: a call that is made before.    read: what the script makes of the answer.

const JSON_BODY = JSON.stringify({ name: "damson" });

async function statusAndBody(response) {
  const body = (await response.text()).trim();
  return `${response.status} ${body || "(no content)"}`;
}

function header(name) {
  return async (response) => `${name}: ${response.headers.get(name)}`;
}

async function partByPart(response, progress) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    const lines = text.trimEnd().split("\n");
    progress(lines.at(-1), lines.length);
  }
  return `${response.status} ${text.trimEnd().split("\n").at(-1)}`;
}

export const calls = [
  {
    name: "get",
    title: "A plain GET",
    code: 'fetch("/items")',
    path: "/items",
    lesson: "Any page may send a plain GET; this one may read the answer, because its origin is listed.",
  },
  {
    name: "post",
    title: "POST with JSON",
    code: 'fetch("/items", {\n  method: "POST",\n  headers: { "Content-Type":\n    "application/json" },\n  body: JSON.stringify(item) })',
    path: "/items",
    options: { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON_BODY },
    asks: "Content-Type: application/json",
    lesson: "No HTML form can send JSON, so the browser asked first; Content-Type is listed.",
  },
  {
    name: "put",
    title: "PUT",
    code: 'fetch("/items/1", {\n  method: "PUT", body: item })',
    path: "/items/1",
    options: { method: "PUT", body: "damson" },
    asks: "the method PUT",
    lesson: "The browser asked whether PUT is fine, and the policy lists it.",
  },
  {
    name: "delete",
    title: "DELETE",
    code: 'fetch("/items/1", {\n  method: "DELETE" })',
    path: "/items/1",
    options: { method: "DELETE" },
    asks: "the method DELETE",
    lesson: "The browser asked whether DELETE is fine, and the policy lists it.",
  },
  {
    name: "header",
    title: "A header of its own",
    code: 'fetch("/items", { headers:\n  { "X-Demo-Trace": "42" } })',
    path: "/items",
    options: { headers: { "X-Demo-Trace": "42" } },
    asks: "the header X-Demo-Trace",
    lesson: "A header that no form can send makes even a GET ask first; the policy lists it.",
  },
  {
    name: "authorization",
    title: "Authorization",
    code: 'fetch("/me", {\n  headers: { Authorization:\n    "Bearer demo-token" } })',
    path: "/me",
    options: { headers: { Authorization: "Bearer demo-token" } },
    asks: "the header Authorization",
    lesson: "Authorization must be listed by its name; a * would not cover it.",
  },
  {
    name: "cookies",
    title: "With cookies",
    code: 'fetch("/profile", {\n  credentials: "include" })',
    path: "/profile",
    options: { credentials: "include" },
    signIn: "/sign-in",
    lesson: "The session cookie went along, and the API says Allow-Credentials: true.",
  },
  {
    name: "exposed",
    title: "An exposed response header",
    code: 'response.headers\n  .get("X-Total-Count")',
    path: "/items",
    read: header("X-Total-Count"),
    lesson: "The policy exposes X-Total-Count, so the script can read its value.",
  },
  {
    name: "hidden",
    title: "A response header that is not exposed",
    code: 'response.headers\n  .get("X-Build")',
    path: "/items",
    read: header("X-Build"),
    lesson: "The API sent X-Build, but does not expose it: the script reads the answer, and null here.",
  },
  {
    name: "patch",
    title: "A method that is not listed",
    code: 'fetch("/items/1", {\n  method: "PATCH", body: item })',
    path: "/items/1",
    options: { method: "PATCH", body: "damson" },
    asks: "the method PATCH",
    lesson: "The policy lists PATCH.",
  },
  {
    name: "unlisted-header",
    title: "A header that is not listed",
    code: 'fetch("/items", { headers:\n  { "X-Not-Listed": "1" } })',
    path: "/items",
    options: { headers: { "X-Not-Listed": "1" } },
    asks: "the header X-Not-Listed",
    lesson: "The policy lists X-Not-Listed.",
  },
  {
    name: "error",
    title: "An error of the server",
    code: 'fetch("/broken")',
    path: "/broken",
    lesson: "A 500 has the CORS headers as well, so the page can tell what went wrong.",
  },
  {
    name: "stream",
    title: "A slow, streamed answer",
    code: 'for await (const part\n  of response.body)',
    path: "/stream",
    read: partByPart,
    lesson: "corsguard holds nothing back: each part is read as soon as it is sent.",
  },
].map((call) => ({ options: {}, read: statusAndBody, ...call }));
