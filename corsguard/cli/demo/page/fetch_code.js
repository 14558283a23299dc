// A call as the code that a developer would write. Pasted into the console of a page, it does
// what the playground did from there.

const literal = (value) => JSON.stringify(value);

function writeObject(object) {
  const isName = (key) => /^[A-Za-z_$][\w$]*$/.test(key);
  const entries = Object.entries(object).map(
    ([key, value]) => `${isName(key) ? key : literal(key)}: ${literal(value)}`,
  );
  return `{ ${entries.join(", ")} }`;
}

function writeBody({ json, form, text }) {
  if (json) return `JSON.stringify(${writeObject(json)})`;
  return form ? `new URLSearchParams(${writeObject(form)})` : literal(text);
}

/** Return the code of a call to the API, as JavaScript. */
export function writeFetch(call, api, credentials) {
  const options = [
    call.method !== "GET" && `method: ${literal(call.method)}`,
    Object.keys(call.headers).length > 0 && `headers: ${writeObject(call.headers)}`,
    `credentials: ${literal(credentials)}`,
    call.body && `body: ${writeBody(call.body)}`,
  ].filter(Boolean);
  const isHeader = !["text", "parts"].includes(call.read);
  const reading = isHeader ? `headers.get(${literal(call.read)})` : "text()";
  return [
    `fetch(${literal(api + call.path)}, {`,
    ...options.map((option) => `  ${option},`),
    `}).then((response) => response.${reading})`,
  ].join("\n");
}
