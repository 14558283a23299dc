// The one way in which this page builds elements. Data only ever becomes text, never markup.

/**
 * Return a new element. `properties` are those of the element (className, href, hidden, ...), and
 * `data` and `aria` are name -> value of its data-* and aria-* attributes. Children are nodes or
 * strings; null, false and "" are left out, so that a caller can write `text && build(...)`.
 */
export function build(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children.filter(Boolean));
  return element;
}

/** Return the element with this id. */
export const find = (id) => document.getElementById(id);

/** Show a text in an element. A status that is the same again is not read out again. */
export function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Return text in which what is between backticks is code. */
export function buildProse(text) {
  const parts = text.split("`").map((part, index) => (index % 2 ? build("code", {}, part) : part));
  return build("span", {}, ...parts);
}

/** Return a link that opens beside the playground, whose state would be lost otherwise. */
export function buildLink(href, ...children) {
  return build("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Return a link to a clause; `Fetch, "CORS check"` is shown as `§ CORS check`. */
export function buildClauseLink(clause, address) {
  return buildLink(address, `\u00a7\u00a0${/"(.*)"/.exec(clause)?.[1] ?? clause}`);
}

/** Return text that only screen readers get. */
export const buildHiddenText = (text) => build("span", { className: "visually-hidden" }, text);
