// Comforts only: every page works without this file.
(() => {
  "use strict";
  // Browsers that do not focus a box by itself: what must be put right is read first.
  const summary = document.getElementById("feil");
  if (summary && document.activeElement !== summary) summary.focus();
  // A line of the summary leads to its field, with the label in sight.
  summary?.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus({ preventScroll: true });
    (field.labels?.[0] ?? field).scrollIntoView({ block: "center" });
  });
  // A second press on the way does not send twice. The server would bear it; the reader need not wonder.
  const pressed = new Set();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (pressed.has(form)) return event.preventDefault();
    pressed.add(form);
    event.submitter?.setAttribute("aria-disabled", "true");
  });
  // Back by the browser's own button, the form may be sent again.
  addEventListener("pageshow", () => {
    pressed.clear();
    for (const button of document.querySelectorAll('button[aria-disabled="true"]')) button.removeAttribute("aria-disabled");
  });
})();
