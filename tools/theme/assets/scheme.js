/**
 * The colour scheme, before anything is painted; and what Material's script asks a page to have.
 *
 * Material has this as scripts inside of each page, which a strict Content-Security-Policy forbids
 * and which fail where a browser refuses to store anything.
 */
(() => {
  const site = new URL("..", document.currentScript.src);
  const choices = [...document.querySelectorAll("[data-md-component=palette] input")];
  const ofSystem = choices.findIndex((choice) => matchMedia(choice.dataset.mdColorMedia).matches);

  window.__md_get = (name) => {
    try {
      const kept = JSON.parse(localStorage.getItem(`${site.pathname}.${name}`));
      return name === "__palette" && !choices[kept?.index] ? null : kept;
    } catch {
      return null; // refused, or no JSON
    }
  };

  window.__md_set = (name, value) => {
    try {
      // A scheme that the system asks for anyway is not kept: the page goes on following the system.
      const nothingNew = name === "__palette" && value.index === ofSystem;
      if (nothingNew) localStorage.removeItem(`${site.pathname}.${name}`);
      else localStorage.setItem(`${site.pathname}.${name}`, JSON.stringify(value));
    } catch {
      // refused: it holds for this page
    }
  };

  const chosen = choices[window.__md_get("__palette")?.index ?? ofSystem];
  for (const part of ["mdColorMedia", "mdColorScheme", "mdColorPrimary", "mdColorAccent"]) {
    if (chosen) document.body.dataset[part] = chosen.dataset[part];
  }
})();
