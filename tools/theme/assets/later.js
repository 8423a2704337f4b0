/** Material's script, fetched once the page has been painted: nobody needs it to begin to read. */
(() => {
  const { script } = document.currentScript.dataset;
  requestAnimationFrame(() => {
    setTimeout(() => document.body.append(Object.assign(document.createElement("script"), { src: script })));
  });
})();
