// What an outcome means, in words. An outcome is the one of call_runner.js.

// The browser sends OPTIONS by itself; none of the calls uses it.
const isPreflight = (exchange) => exchange.method === "OPTIONS";

const findRequest = ({ exchanges }) => exchanges.find((exchange) => !isPreflight(exchange));

/** Return true if corsguard answered an exchange by `enforce`, in place of the application. */
export function isEnforced(exchange) {
  // With enforce = "report" the reason is the same, but the request goes on.
  return exchange.reason === "CROSS_ORIGIN_REFUSED" && exchange.status === 403;
}

/** Return true if the application received the request itself, not only its preflight. */
export function hasReachedApplication(outcome) {
  const request = findRequest(outcome);
  return request !== undefined && !isEnforced(request);
}

/** Return true if corsguard refused the request itself by `enforce`. */
export function isRefusedByEnforce(outcome) {
  const request = findRequest(outcome);
  return request !== undefined && isEnforced(request);
}

export const BADGES = {
  allowed: "\u2713 Allowed",
  blocked: "\u2717 Blocked",
  failed: "! No response",
};

/** Return how far the request came, in a few words, and a `level` that says how bad that is. */
export function describeReach(outcome) {
  if (outcome.verdict === "failed") return { text: "the API is gone", level: "quiet" };
  if (outcome.verdict === "allowed") {
    const request = findRequest(outcome);
    return { text: request ? `the script reads the ${request.status}` : "", level: "quiet" };
  }
  if (hasReachedApplication(outcome)) return { text: "reached the application", level: "warning" };
  if (isRefusedByEnforce(outcome)) return { text: "403, not reached", level: "safe" };
  return { text: "stopped at the preflight", level: "quiet" };
}

/** Return what happened to the request, in a sentence or two. */
export function describeOutcome(outcome) {
  if (outcome.verdict === "failed") return "The API gave no response at all.";
  const cookie = findRequest(outcome)?.cookie ? " with the cookie" : "";
  if (outcome.verdict === "allowed") {
    return `The application received the request${cookie}, and the script reads the response.`;
  }
  if (isRefusedByEnforce(outcome)) {
    return "corsguard refused the request with 403, so it never reached the application.";
  }
  if (hasReachedApplication(outcome)) {
    return (
      `The application received the request${cookie}, and responded. ` +
      "The browser hides the response from the script."
    );
  }
  return "The response to the preflight does not allow the request, so the browser never sent it.";
}
