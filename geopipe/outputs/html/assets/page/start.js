// Light and dark, links to a case, and the start: after all other parts.

function startTheme() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  find("theme").addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
    root.dataset.theme = isDark ? "light" : "dark";
    redraw();
  });
  dark.addEventListener("change", () => redraw());
}

function openLinked() {
  const name = decodeURIComponent(location.hash).replace(/^#case=/, "");
  const row = Array.from(Array(count).keys()).find((at) => cells.name(at) === name);
  if (row !== undefined) openCase(row, null);
}

startList();
startTheme();
try {
  startMap();
} catch (error) {
  find("hit").textContent = said.mapFailed;
  console.error(error);
}
window.addEventListener("hashchange", openLinked);
openLinked();
document.documentElement.dataset.ready = String(count);
