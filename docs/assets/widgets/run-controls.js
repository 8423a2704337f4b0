/** What a run needs that trains in the page: start, stop, how far it is, and what went wrong. */
import { announce, h } from "./dom.js";
import { messageOf } from "./loading.js";

export class RunControls {
  /** @type {AbortController | null} While a run is under way. */
  running = null;

  stop = h("button", { type: "button", hidden: true }, "Stop");
  progress = h("progress", { value: 0, "aria-label": "Steps taken", hidden: true });
  error = h("p", { class: "widget-error", hidden: true });

  /**
   * @param {string} label Of the button that starts a run.
   * @param {() => void} onStart
   */
  constructor(label, onStart) {
    this.start = h("button", { type: "button", class: "main" }, label);
    this.start.addEventListener("click", onStart);
    this.stop.addEventListener("click", () => this.running?.abort());
  }

  /** @param {HTMLElement} beside What is said beside the buttons. */
  buttons(beside) {
    const { start, stop, progress } = this;
    return h("div", { class: "widget-buttons" }, start, stop, progress, beside);
  }

  /** @param {string} message Empty if all is well. */
  fail(message) {
    this.error.textContent = message;
    this.error.hidden = message === "";
    if (message) announce(message);
  }

  /**
   * Carries out a run, and says what went wrong.
   * @param {(signal: AbortSignal) => Promise<void>} run It calls `begin` before its first step.
   */
  async carryOut(run) {
    const running = new AbortController();
    this.running = running;
    try {
      await run(running.signal);
    } catch (error) {
      this.fail(messageOf(error));
    } finally {
      this.running = null;
      this.show(false);
    }
  }

  /** @param {number} steps How many there are. */
  begin(steps) {
    this.progress.max = steps;
    this.progress.value = 0;
    this.show(true);
  }

  /** @param {boolean} isRunning */
  show(isRunning) {
    const { start, stop, progress } = this;
    const focused = document.activeElement === (isRunning ? start : stop);
    start.hidden = isRunning;
    stop.hidden = progress.hidden = !isRunning;
    if (focused) (isRunning ? stop : start).focus();
  }
}
