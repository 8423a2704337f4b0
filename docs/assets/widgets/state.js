/** What a reader has done: in a link's fragment to share it, in this browser to find it again. */
import { announce, h } from "./dom.js";

/**
 * Follows links to this widget: what the address brings already, and what it brings later.
 * @param {HTMLElement} host
 * @param {string} name
 * @param {(state: URLSearchParams) => void} follow
 * @returns {boolean} Whether the address has brought a state.
 */
export function followAddress(host, name, follow) {
  addEventListener("hashchange", () => {
    const state = stateFromAddress(name);
    if (!state) return;
    follow(state);
    host.scrollIntoView();
  });
  const state = stateFromAddress(name);
  if (state) follow(state);
  return state !== null;
}

/**
 * What the address brings for this widget, as in `#fill-in?text=…`; null if nothing.
 * @param {string} name
 */
export function stateFromAddress(name) {
  const begin = `#${name}?`;
  if (!location.hash.startsWith(begin)) return null;
  return new URLSearchParams(location.hash.slice(begin.length));
}

/**
 * A button that puts the state into the address and copies the link.
 * @param {string} name
 * @param {() => Record<string, string | number>} getState
 */
export function linkButton(name, getState) {
  const button = h(
    "button",
    { type: "button", class: "quiet", onclick: copy },
    "Copy a link to this",
  );

  async function copy() {
    history.replaceState(null, "", addressOf(name, getState()));
    let said = "Link copied";
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      said = "The link is in the address bar";
    }
    button.textContent = said;
    announce(said);
    setTimeout(() => {
      button.textContent = "Copy a link to this";
    }, 2000);
  }

  return button;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} state
 */
export function addressOf(name, state) {
  const texts = Object.entries(state).map(([key, value]) => [key, String(value)]);
  return `#${name}?${new URLSearchParams(texts)}`;
}

const PREFIX = "bertlesson:";
/** @type {Map<string, string>} What a browser refuses to keep, until the page is left. */
const memory = new Map();

// What another window keeps, or forgets, is newer.
addEventListener("storage", ({ key }) => {
  if (key === null) memory.clear();
  else memory.delete(key);
});

/**
 * What was remembered under this name in this browser; the default if nothing was.
 * @param {string} name
 * @param {unknown} otherwise
 * @returns {unknown} Readers can change what their browser keeps, so it may be anything.
 */
export function remembered(name, otherwise) {
  const key = PREFIX + name;
  try {
    const text = memory.get(key) ?? localStorage.getItem(key);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise; // nothing is kept, or it is not ours
  }
}

/**
 * Remember this only in this browser; open pages hear of it through the event "remembered".
 * @param {string} name
 * @param {unknown} value
 * @returns {boolean} Whether the browser keeps it after the page is left.
 */
export function remember(name, value) {
  const [key, text] = [PREFIX + name, JSON.stringify(value)];
  try {
    localStorage.setItem(key, text);
    memory.delete(key);
  } catch {
    memory.set(key, text); // refused, or full
  }
  document.dispatchEvent(new CustomEvent("remembered", { detail: name }));
  return !memory.has(key);
}

/**
 * Calls this whenever something is remembered in this window.
 * @param {(name: string | null) => void} listener Gets its name; null if all was forgotten.
 */
export function onRemembered(listener) {
  document.addEventListener("remembered", (event) => {
    listener(/** @type {CustomEvent<string | null>} */ (event).detail);
  });
}

/** Whether anything is remembered in this browser, by any part of the site. */
export function anythingRemembered() {
  try {
    return memory.size > 0 || Object.keys(localStorage).some((key) => key.startsWith(PREFIX));
  } catch {
    return memory.size > 0;
  }
}

/** Forget everything. */
export function forgetAll() {
  memory.clear();
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX)) localStorage.removeItem(key);
    }
  } catch {
    // nothing was kept
  }
  document.dispatchEvent(new CustomEvent("remembered", { detail: null }));
}
