// What is kept already can be read, but there is no room for more.
Storage.prototype.setItem = () => {
  throw new DOMException("full", "QuotaExceededError");
};
