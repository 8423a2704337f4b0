/**
 * The colour scheme: chosen before anything is painted, switched by the reader, and remembered.
 *
 * Material does this in a script inside of each page, which a strict Content-Security-Policy
 * forbids, and in its bundle, which computes all styles of the page four times over for it.
 */
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const KEY = `${new URL("..", script.src).pathname}.__palette`;
  const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-scheme-switch]"));
  const choices = [...form.querySelectorAll("input")];
  const isAsked = (/** @type {HTMLInputElement} */ { dataset }) =>
    matchMedia(dataset.mdColorMedia ?? "").matches;
  const ofSystem = Math.max(0, choices.findIndex(isAsked));

  function remembered() {
    try {
      const { index } = JSON.parse(localStorage.getItem(KEY) ?? "null");
      return index in choices && Number.isInteger(index) ? index : ofSystem;
    } catch {
      return ofSystem; // nothing is kept, or refused, or it is not ours
    }
  }

  /** @param {number} index */
  function remember(index) {
    try {
      // What the system asks for anyway is not kept: the page goes on following the system.
      if (index === ofSystem) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, JSON.stringify({ index }));
    } catch {
      // refused: it holds for this page
    }
  }

  /** @param {number} index */
  function show(index) {
    const { dataset } = choices[index];
    for (const part of ["mdColorMedia", "mdColorScheme", "mdColorPrimary", "mdColorAccent"]) {
      document.body.dataset[part] = dataset[part];
    }
    choices.forEach((choice, n) => {
      choice.checked = n === index;
      const label = /** @type {HTMLElement} */ (choice.nextElementSibling);
      label.hidden = n !== index; // it leads to the other one
    });
  }

  /** The bar of a telephone's browser has the colour of the page's header. */
  function paintBrowser() {
    /** @type {HTMLMetaElement | null} */
    const found = document.querySelector("meta[name=theme-color]");
    const meta = found ?? document.createElement("meta");
    if (!found) document.head.append(meta);
    const header = /** @type {HTMLElement} */ (document.querySelector(".md-header"));
    meta.name = "theme-color";
    meta.content = getComputedStyle(header).backgroundColor;
  }

  // Material's script sets these as well, later, when all styles would have to be computed again.
  document.documentElement.classList.replace("no-js", "js");
  document.documentElement.classList.add("js-focus-visible");
  show(remembered());
  addEventListener("load", paintBrowser);
  /** The choice that an event is about, by its index. */
  const indexOf = (/** @type {Event} */ { target }) =>
    choices.indexOf(/** @type {HTMLInputElement} */ (target));
  form.addEventListener("change", (event) => {
    document.body.dataset.mdColorSwitching = ""; // nothing fades from one scheme to the other
    show(indexOf(event));
    paintBrowser();
    delete document.body.dataset.mdColorSwitching;
    remember(indexOf(event));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the form has nowhere to go
    const next = choices[(indexOf(event) + 1) % choices.length];
    next.click();
    next.focus();
  });
})();
