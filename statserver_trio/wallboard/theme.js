// Dark or light: as somebody has chosen, or as the system likes it.

const system = matchMedia("(prefers-color-scheme: dark)");

export const isDark = (chosen) => (chosen === "" ? system.matches : chosen === "dark");

/** Put it on the page; true if that has changed anything. */
export function dress(chosen) {
  const theme = isDark(chosen) ? "dark" : "light";
  if (document.documentElement.dataset.theme === theme) return false;
  document.documentElement.dataset.theme = theme;
  return true;
}

/** Be called whenever the system changes its mind. */
export function onSystemChange(action) {
  system.addEventListener("change", action);
}
