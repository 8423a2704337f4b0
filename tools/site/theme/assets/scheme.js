// @ts-nocheck: its types are still to be written
/**
 * The colour scheme: chosen before anything is painted, switched by the reader, and remembered.
 *
 * Material does this in a script inside of each page, which a strict Content-Security-Policy
 * forbids, and in its bundle, which computes all styles of the page four times over for it.
 */
(() => {
  const KEY = `${new URL("..", document.currentScript.src).pathname}.__palette`;
  const form = document.querySelector("[data-scheme-switch]");
  const choices = [...form.querySelectorAll("input")];
  const isAsked = (choice) => matchMedia(choice.dataset.mdColorMedia).matches;
  const ofSystem = Math.max(0, choices.findIndex(isAsked));

  function remembered() {
    try {
      const { index } = JSON.parse(localStorage.getItem(KEY));
      return index in choices && Number.isInteger(index) ? index : ofSystem;
    } catch {
      return ofSystem; // nothing is kept, or refused, or it is not ours
    }
  }

  function remember(index) {
    try {
      // What the system asks for anyway is not kept: the page goes on following the system.
      if (index === ofSystem) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, JSON.stringify({ index }));
    } catch {
      // refused: it holds for this page
    }
  }

  function show(index) {
    const { dataset } = choices[index];
    for (const part of ["mdColorMedia", "mdColorScheme", "mdColorPrimary", "mdColorAccent"]) {
      document.body.dataset[part] = dataset[part];
    }
    choices.forEach((choice, n) => {
      choice.checked = n === index;
      choice.nextElementSibling.hidden = n !== index; // its label leads to the other one
    });
  }

  /** The bar of a telephone's browser has the colour of the page's header. */
  function paintBrowser() {
    let meta = document.querySelector("meta[name=theme-color]");
    if (!meta) {
      meta = document.createElement("meta");
      document.head.append(meta);
    }
    meta.name = "theme-color";
    meta.content = getComputedStyle(document.querySelector(".md-header")).backgroundColor;
  }

  // Material's script sets these as well, later, when all styles would have to be computed again.
  document.documentElement.classList.replace("no-js", "js");
  document.documentElement.classList.add("js-focus-visible");
  show(remembered());
  addEventListener("load", paintBrowser);
  form.addEventListener("change", ({ target }) => {
    document.body.dataset.mdColorSwitching = ""; // nothing fades from one scheme to the other
    show(choices.indexOf(target));
    paintBrowser();
    delete document.body.dataset.mdColorSwitching;
    remember(choices.indexOf(target));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the form has nowhere to go
    const next = choices[(choices.indexOf(event.target) + 1) % choices.length];
    next.click();
    next.focus();
  });
})();
