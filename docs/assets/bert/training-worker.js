/**
 * Trains beside the page, so that the page stays quick. `training.js` starts it and speaks with it.
 *
 * The first message is the task, any other one stops it. It answers with what `Answer` lists.
 */
import { runCourse } from "./course.js";
import { useSimd } from "./products.js";

/** @typedef {import("./course.js").Task} Task */
/**
 * @typedef {{ready: true} | {progress: import("./course.js").Progress} | {failed: string}
 *   | {tensors: Task["tensors"], taken: number}} Answer
 */

/** @param {Answer} answer */
const tell = (answer) => postMessage(answer);
let stopped = false;

/** Lets messages in. A timer would do it too, but browsers slow timers of pages in the background. */
function isStopped() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve(stopped);
    };
    port2.postMessage(null);
  });
}

/** @param {Task} task */
async function train(task) {
  await useSimd();
  const trainer = await runCourse(task, (progress) => tell({ progress }), isStopped);
  tell({ tensors: trainer.tensors, taken: trainer.taken });
}

addEventListener(
  "message",
  ({ data }) => {
    addEventListener("message", () => {
      stopped = true;
    });
    train(data).catch((error) => tell({ failed: error.message }));
  },
  { once: true },
);
tell({ ready: true });
