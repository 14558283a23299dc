// What an outcome means, in words. An outcome is the one of call_runner.js.

// The browser sends OPTIONS by itself; none of the calls uses it.
const isPreflight = (exchange) => exchange.method === "OPTIONS";

const findRequest = ({ exchanges }) => exchanges.find((exchange) => !isPreflight(exchange));

// With enforce = "report" the reason is the same, but the request goes on.
const isEnforced = (exchange) => exchange.reason === "CROSS_ORIGIN_REFUSED" && exchange.status === 403;

/** Return true if the application received the request itself, not only its preflight. */
export function hasReachedApplication(outcome) {
  const request = findRequest(outcome);
  return request !== undefined && !isEnforced(request);
}

/** Return true if corsguard refused the request by `enforce`. */
export const isRefusedByEnforce = (outcome) => outcome.exchanges.some(isEnforced);

export const BADGES = { allowed: "\u2713 Allowed", blocked: "\u2717 Blocked", failed: "! No response" };

/** Return how far the request came: `text`, and a `level` that says how bad that is. */
export function describeReach(outcome) {
  if (outcome.verdict === "failed") return { text: "the API is not there", level: "quiet" };
  if (outcome.verdict === "allowed") {
    const { status } = findRequest(outcome) ?? { status: "" };
    return { text: `the script reads the ${status}`, level: "quiet" };
  }
  if (hasReachedApplication(outcome)) {
    const cookie = findRequest(outcome).cookie ? ", with the cookie" : "";
    return { text: `reached the application${cookie}`, level: "warning" };
  }
  if (isRefusedByEnforce(outcome)) return { text: "403, application not reached", level: "safe" };
  return { text: "stopped at the preflight", level: "safe" };
}

/** Return what happened, and why, in a sentence or two. */
export function describeOutcome(call, outcome) {
  if (outcome.verdict === "failed") return "The API gave no response at all.";
  if (outcome.verdict === "allowed") return call.lesson;
  const last = outcome.exchanges.at(-1);
  if (!last) return "The browser did not send the request.";
  const why = last.reason === "ALLOWED" ? "" : ` The decision: ${last.words}.`;
  if (isRefusedByEnforce(outcome)) {
    return `corsguard refused the request with 403 before it reached the application.${why}`;
  }
  if (isPreflight(last)) {
    return `The browser sent a preflight, and its response does not allow the request. The request was never sent.${why}`;
  }
  return `The application received the request and responded. The browser hides the response from the script.${why}`;
}
