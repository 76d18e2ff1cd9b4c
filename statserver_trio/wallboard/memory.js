// What the browser remembers, where it may: a private window, or one whose disk is full, may not.

const PREFIX = "statserver-wallboard-";

export function recall(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // then it is not remembered
  }
}
