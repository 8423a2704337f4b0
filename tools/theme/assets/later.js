/**
 * Material's script, fetched once the page has been painted: nobody needs it to begin to read.
 *
 * It goes to work at DOMContentLoaded. If that has been, it is said again.
 */
(() => {
  const bundle = document.createElement("script");
  bundle.src = document.currentScript.dataset.script;
  bundle.addEventListener("load", () => {
    if (document.readyState === "loading") return;
    document.dispatchEvent(new Event("DOMContentLoaded"));
  });
  requestAnimationFrame(() => setTimeout(() => document.body.append(bundle)));
})();
