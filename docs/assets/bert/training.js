/** Starts a training run in a worker, and brings back what it has learned. */
import { Bert } from "./bert.js";

/** @typedef {import("./course.js").Progress} Progress */
/** @typedef {import("./course.js").Task} Task */
/** @typedef {import("./training-worker.js").Answer} Answer */

const REFUSED =
  "This browser does not let the page compute in the background, so nothing can be trained here.";

/**
 * Trains a model; `bert` does not change.
 *
 * @param {Bert} bert To start from, the head's weights included, see `initial.js`.
 * @param {Omit<Task, "tensors" | "config">} task
 * @param {object} listening
 * @param {(progress: Progress) => void} [listening.onProgress] Is called after each step.
 * @param {AbortSignal} [listening.signal] Ends the run after the step that it is in.
 * @returns {Promise<{bert: Bert, taken: number}>} The model as it is after the last step, and how
 *   many steps were taken.
 * @throws {Error} With a message for the reader.
 */
export function train(bert, task, { onProgress = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const worker = startWorker();
    let ready = false;
    /** @param {() => void} how */
    const end = (how) => {
      signal?.removeEventListener("abort", stop);
      worker.terminate();
      how();
    };
    const stop = () => worker.postMessage("stop");
    worker.onerror = (event) => {
      event.preventDefault();
      end(() => reject(new Error(ready ? `The training broke off: ${event.message}` : REFUSED)));
    };
    worker.onmessage = (event) => {
      const answer = /** @type {Answer} */ (event.data);
      if ("ready" in answer) {
        ready = true;
        worker.postMessage({ ...task, tensors: bert.tensors, config: bert.config });
        if (signal?.aborted) stop();
        signal?.addEventListener("abort", stop);
      } else if ("progress" in answer) onProgress(answer.progress);
      else if ("failed" in answer) end(() => reject(new Error(answer.failed)));
      else {
        const { tensors, taken } = answer;
        end(() => resolve({ bert: new Bert(tensors, bert.config), taken }));
      }
    };
  });
}

/** @throws {Error} With a message for the reader, if the browser refuses. */
function startWorker() {
  try {
    return new Worker(new URL("training-worker.js", import.meta.url), { type: "module" });
  } catch {
    throw new Error(REFUSED);
  }
}
