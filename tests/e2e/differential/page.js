// Runs cases in a page. A case is { number, url, requests }, and an answer lists, for each of
// its requests, what the script saw.

const PATIENCE = 5000; // milliseconds, where something is broken

function seen(outcome, type, status, headers, error) {
  return { outcome, type, status, headers: headers.sort(), error };
}

async function byFetch(url, request) {
  const { method, headers, credentials, mode, redirect, body } = request;
  let asked;
  try {
    asked = new Request(url, { method, headers, credentials, mode, redirect, body });
  } catch (error) {
    return seen("unsent", "", 0, [], `${error}`);
  }
  try {
    const response = await fetch(asked);
    await response.text();
    return seen("allowed", response.type, response.status, [...response.headers], "");
  } catch (error) {
    return seen("blocked", "", 0, [], `${error}`);
  }
}

function byXhr(url, request) {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    const blocked = (event) => resolve(seen("blocked", "", 0, [], `XMLHttpRequest: ${event.type}`));
    try {
      xhr.open(request.method, url);
        xhr.withCredentials = request.credentials === "include";
      for (const [name, value] of request.headers) xhr.setRequestHeader(name, value);
    } catch (error) {
      resolve(seen("unsent", "", 0, [], `${error}`));
      return;
    }
    xhr.upload.onprogress = () => {};
    xhr.onerror = blocked;
    xhr.onload = () => {
      const lines = xhr.getAllResponseHeaders().split("\r\n").filter((line) => line);
      const headers = lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 1).trim(),
      ]);
      resolve(seen("allowed", "", xhr.status, headers, ""));
    };
    xhr.send(request.body);
  });
}

function hanging() {
  const hung = seen("hung", "", 0, [], "");
  return new Promise((resolve) => setTimeout(() => resolve(hung), PATIENCE));
}

async function runCase({ url, requests }) {
  const all = [];
  for (const request of requests) {
    const answered = (request.upload ? byXhr : byFetch)(url, request);
    all.push(await Promise.race([answered, hanging()]));
  }
  return all;
}

// All cases, some at a time, in the order of their answers.
async function runCases(cases, atATime) {
  const answers = new Array(cases.length);
  let next = 0;
  const worker = async () => {
    while (next < cases.length) {
      const mine = next++;
      answers[mine] = await runCase(cases[mine]);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return answers;
}

// The same in a sandboxed frame, whose origin is opaque.
function runSandboxed(cases, atATime) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = `<script src="${location.origin}/page.js"></script>
      <script>onmessage = async ({ data }) =>
        parent.postMessage(await runCases(data.cases, data.atATime), "*");</script>`;
    const listener = ({ source, data }) => {
      if (source !== frame.contentWindow) return;
      removeEventListener("message", listener);
      frame.remove();
      resolve(data);
    };
    addEventListener("message", listener);
    frame.onload = () => frame.contentWindow.postMessage({ cases, atATime }, "*");
    document.body.append(frame);
  });
}
