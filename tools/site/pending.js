// In `mkdocs serve` only: show the progress of examples whose output is not ready yet.
const script = /** @type {HTMLScriptElement} */ (document.currentScript);
const base = new URL("..", script.src);

async function poll() {
  const pending = document.querySelectorAll("[data-pending] span");
  if (pending.length === 0) return;
  try {
    const progress = await (await fetch(new URL("progress.json", base))).json();
    for (const span of pending) {
      const name = span.parentElement?.dataset.pending ?? "";
      span.textContent = progress[name] || span.textContent;
    }
  } catch {
    // the site is being rebuilt; the next poll finds it
  }
  setTimeout(poll, 1000);
}

poll();
