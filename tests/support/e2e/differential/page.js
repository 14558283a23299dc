// Runs cases in a page. A case is a list of requests, and its answer a list of what the script saw
// of each.

const PATIENCE = 5000; // milliseconds, where something is broken

function seen(outcome, type = "", status = 0, headers = []) {
  return { outcome, type, status, headers: headers.sort() };
}

async function byFetch({ url, method, headers, credentials, mode, redirect, body }) {
  try {
    const response = await fetch(url, { method, headers, credentials, mode, redirect, body });
    await response.text();
    return seen("allowed", response.type, response.status, [...response.headers]);
  } catch {
    return seen("blocked");
  }
}

function byXhr({ url, method, headers, credentials, body }) {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    const blocked = () => resolve(seen("blocked"));
    try {
      xhr.open(method, url);
      xhr.withCredentials = credentials === "include";
      for (const [name, value] of headers) xhr.setRequestHeader(name, value);
      xhr.upload.onprogress = () => {};
      xhr.onerror = blocked;
      xhr.onload = () => resolve(seen("allowed", "", xhr.status, headersOf(xhr)));
      xhr.send(body);
    } catch {
      blocked();
    }
  });
}

function headersOf(xhr) {
  const lines = xhr.getAllResponseHeaders().split("\r\n").filter((line) => line);
  return lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
}

function hanging() {
  return new Promise((resolve) => setTimeout(() => resolve(seen("hung")), PATIENCE));
}

async function runCase(requests) {
  const all = [];
  for (const request of requests) {
    const answered = (request.upload_listener ? byXhr : byFetch)(request);
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
