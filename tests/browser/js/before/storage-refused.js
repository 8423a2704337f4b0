// As a browser does it whose reader allows no site to keep anything.
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, {
    get() {
      throw new DOMException("refused", "SecurityError");
    },
  });
}
