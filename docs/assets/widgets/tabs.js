/** Tabs, as https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ describes them. */
import { h } from "./dom.js";

/**
 * A row of tabs with a panel for each; the first is open.
 *
 * @param {string} name Begins the elements' ids.
 * @param {string} label What the tabs are, for readers who do not see them.
 * @param {Record<string, string>} titles By the tabs' keys.
 * @param {(key: string) => void} onOpen Is called when the reader opens a tab.
 * @returns {{row: HTMLElement, panels: Record<string, HTMLElement>, open: (key: string) => void}}
 */
export function makeTabs(name, label, titles, onOpen) {
  const keys = Object.keys(titles);
  const tabs = keys.map((key) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `${name}-tab-${key}`,
        "aria-controls": `${name}-panel-${key}`,
        onclick: () => choose(key),
      },
      titles[key],
    ),
  );
  /** @param {string} key */
  const panel = (key) => ({
    role: "tabpanel",
    id: `${name}-panel-${key}`,
    "aria-labelledby": `${name}-tab-${key}`,
    tabindex: 0,
  });
  const panels = Object.fromEntries(keys.map((key) => [key, h("div", panel(key))]));

  /** @param {string} opened */
  function open(opened) {
    keys.forEach((key, number) => {
      tabs[number].setAttribute("aria-selected", String(key === opened));
      tabs[number].tabIndex = key === opened ? 0 : -1; // Tab leads to the open one alone
      panels[key].hidden = key !== opened;
    });
  }

  /** @param {string} key */
  function choose(key) {
    open(key);
    onOpen(key);
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const at = tabs.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    /** @type {Record<string, number>} */
    const targets = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 };
    const to = targets[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    tabs[next].focus();
    choose(keys[next]);
  }

  open(keys[0]);
  const row = h(
    "div",
    { role: "tablist", class: "tabs", "aria-label": label, onkeydown: move },
    tabs,
  );
  return { row, panels, open };
}
