// The calls that both pages make, one row each.
//
// method, path, headers: what is given to fetch().
// body: { json }, { form } or { text }: the value, and how the script writes it.
// read: what the script does with the response: "text" (if missing), "parts" or the name of a
//       response header.
// needs: what the policy has to list for it, besides the origin.
// lesson: what the call goes to show.

const ITEM = { name: "damson" };

export const calls = [
  {
    name: "get",
    title: "A plain GET",
    path: "/items",
    lesson: "Any page may send a plain GET. The policy decides who may read the response.",
  },
  {
    name: "form-post",
    title: "POST of a form",
    method: "POST",
    path: "/items",
    body: { form: ITEM },
    lesson:
      "An HTML form can send this, so the browser sends no preflight. Only enforce keeps it from the application.",
  },
  {
    name: "post",
    title: "POST of JSON",
    method: "POST",
    path: "/items",
    headers: { "Content-Type": "application/json" },
    body: { json: ITEM },
    needs: "Content-Type",
    lesson: "No HTML form can send JSON, so the browser sends a preflight for Content-Type.",
  },
  {
    name: "put",
    title: "PUT",
    method: "PUT",
    path: "/items/1",
    body: { text: "damson" },
    needs: "PUT",
    lesson: "PUT is not safelisted, so the browser sends a preflight.",
  },
  {
    name: "delete",
    title: "DELETE",
    method: "DELETE",
    path: "/items/1",
    needs: "DELETE",
    lesson: "DELETE is not safelisted, so the browser sends a preflight.",
  },
  {
    name: "header",
    title: "A custom header",
    path: "/items",
    headers: { "X-Demo-Trace": "42" },
    needs: "X-Demo-Trace",
    lesson: "A header that is not safelisted makes even a GET need a preflight.",
  },
  {
    name: "authorization",
    title: "Authorization",
    path: "/me",
    headers: { Authorization: "Bearer demo-token" },
    needs: "Authorization",
    lesson: "List Authorization by its name: by the standard, * does not cover it.",
  },
  {
    name: "cookies",
    title: "A session cookie",
    path: "/profile",
    lesson:
      "The API knows the user by a cookie. The browser sends it with credentials: \"include\", and then asks for Access-Control-Allow-Credentials.",
  },
  {
    name: "exposed",
    title: "An exposed response header",
    path: "/items",
    read: "X-Total-Count",
    lesson: "The script reads the value of X-Total-Count where expose_headers lists it, else null.",
  },
  {
    name: "hidden",
    title: "A response header that is not exposed",
    path: "/items",
    read: "X-Build",
    lesson: "The API sends X-Build. The script gets null for it unless expose_headers lists it.",
  },
  {
    name: "patch",
    title: "PATCH",
    method: "PATCH",
    path: "/items/1",
    body: { text: "damson" },
    needs: "PATCH",
    lesson: "PATCH is not safelisted, so the browser sends a preflight.",
  },
  {
    name: "unlisted-header",
    title: "Another custom header",
    path: "/items",
    headers: { "X-Not-Listed": "1" },
    needs: "X-Not-Listed",
    lesson: "One header that allow_headers does not list is enough for the browser to block the call.",
  },
  {
    name: "error",
    title: "An error of the server",
    path: "/broken",
    lesson: "A 500 has the CORS headers as well, so the script can tell what went wrong.",
  },
  {
    name: "stream",
    title: "A streamed response",
    path: "/stream",
    read: "parts",
    lesson: "corsguard holds nothing back: the script reads each part as soon as it is sent.",
  },
].map((call) => ({ method: "GET", headers: {}, body: null, read: "text", needs: "", ...call }));
