// The endpoints of the playground's own server. They are same-origin: CORS plays no part in them.

/** The server gave no response at all. */
export class ServerGoneError extends Error {}

async function request(path, options) {
  const response = await fetch(path, options).catch((error) => {
    throw new ServerGoneError(error.message);
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Return the origins, the text in force and the presets. */
export const readSettings = () => request("settings.json");

/** Put the policy in force if it is valid. Return whether it is, its problems and its warnings. */
export const applyPolicy = (toml) => post("policy", { toml });

/** Return the text with the key `enforce` set. */
export const setEnforce = (toml, enforce) => post("toggle", { toml, enforce });

/** Return what a browser does with a call under the policy in force, and the fixes. */
export const explain = (question) => post("explain", question);
