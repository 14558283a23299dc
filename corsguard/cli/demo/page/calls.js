// The calls that both pages make, one row each.
//
// method, path, headers: what is given to fetch().
// body: { json }, { form } or { text }: the value, and how the script writes it.
// read: what the script does with the response: "text" (if missing), "parts" or the name of a
//       response header.
// lesson: what the call goes to show.

const ITEM = { name: "damson" };

export const calls = [
  {
    name: "get",
    title: "Read the items",
    path: "/items",
    lesson: "Any page may send a plain GET. The policy decides who may read the response.",
  },
  {
    name: "form-post",
    title: "Create an item with a form",
    method: "POST",
    path: "/items",
    body: { form: ITEM },
    lesson:
      "An HTML form can send this, so the browser sends no preflight. " +
      "Only enforce keeps it from the application.",
  },
  {
    name: "post",
    title: "Create an item with JSON",
    method: "POST",
    path: "/items",
    headers: { "Content-Type": "application/json" },
    body: { json: ITEM },
    lesson: "No HTML form can send JSON, so the browser sends a preflight for Content-Type.",
  },
  {
    name: "put",
    title: "Replace an item",
    method: "PUT",
    path: "/items/1",
    body: { text: "damson" },
    lesson: "PUT is not safelisted, so the browser sends a preflight.",
  },
  {
    name: "delete",
    title: "Delete an item",
    method: "DELETE",
    path: "/items/1",
    lesson: "DELETE is not safelisted, so the browser sends a preflight.",
  },
  {
    name: "header",
    title: "Send a custom header",
    path: "/items",
    headers: { "X-Demo-Trace": "42" },
    lesson: "A header that is not safelisted makes even a GET need a preflight.",
  },
  {
    name: "authorization",
    title: "Send a bearer token",
    path: "/me",
    headers: { Authorization: "Bearer demo-token" },
    lesson: "List Authorization by its name: by the standard, * does not cover it.",
  },
  {
    name: "cookies",
    title: "Read the profile of the user",
    path: "/profile",
    lesson:
      'The API knows the user by a cookie. The browser sends it with credentials: "include", ' +
      "and the response must have Access-Control-Allow-Credentials.",
  },
  {
    name: "exposed",
    title: "Read an exposed header",
    path: "/items",
    read: "X-Total-Count",
    lesson: "The script reads the value of X-Total-Count where expose_headers lists it, else null.",
  },
  {
    name: "hidden",
    title: "Read a header that is not exposed",
    path: "/items",
    read: "X-Build",
    lesson: "The API sends X-Build. The script gets null for it unless expose_headers lists it.",
  },
  {
    name: "patch",
    title: "Change an item",
    method: "PATCH",
    path: "/items/1",
    body: { text: "damson" },
    lesson: "PATCH is not safelisted, so the browser sends a preflight.",
  },
  {
    name: "unlisted-header",
    title: "Send another custom header",
    path: "/items",
    headers: { "X-Not-Listed": "1" },
    lesson: "The browser blocks a call for a single header that allow_headers does not list.",
  },
  {
    name: "error",
    title: "Get an error of the server",
    path: "/broken",
    lesson: "A 500 has the CORS headers as well, so the script can tell what went wrong.",
  },
  {
    name: "stream",
    title: "Read a stream",
    path: "/stream",
    read: "parts",
    lesson: "corsguard holds nothing back: the script reads each part as soon as it is sent.",
  },
].map((call) => ({ method: "GET", headers: {}, body: null, read: "text", ...call }));
