// As a browser that allows this page no worker.
Object.defineProperty(window, "Worker", {
  writable: true,
  value: class {
    constructor() {
      throw new DOMException("The operation is insecure.", "SecurityError");
    }
  },
});
