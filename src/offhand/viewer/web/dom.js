// @ts-check
// Small helpers to build elements. Text is always set as text, never as HTML.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

/**
 * @param {string} text
 * @param {() => void} act
 * @param {string} [label] for those who do not see the text, where it is a sign
 */
export const button = (text, act, label) => {
  const element = make("button", { type: "button", ...(label ? { "aria-label": label, title: label } : {}) }, text);
  element.addEventListener("click", act);
  return element;
};

/** @param {number} seconds */
export const clock = (seconds) => {
  const ticks = Math.round(Math.max(0, seconds) * 10);
  const minutes = Math.floor(ticks / 600);
  const rest = ((ticks % 600) / 10).toFixed(1).padStart(4, "0");
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};

/** @param {{name: string, called: string}} cluster */
export const titled = (cluster) => `${cluster.name} ${cluster.called}`.trim();
