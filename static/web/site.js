// Comforts: every page works without them.
const found = (name) => document.getElementById(name), summary = found("feil"), box = found("tid");
if (summary) {
  summary.focus();
  summary.onclick = (event) => {
    const field = found(event.target.hash?.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus({ preventScroll: true });
    (field.labels?.[0] ?? field).scrollIntoView({ block: "center" });
  };
}
// A second press does not send twice.
window.onsubmit = (event) => {
  const button = event.submitter;
  if (event.target.method !== "post" || !button) return;
  if (button.ariaDisabled) event.preventDefault();
  button.ariaDisabled = "true";
};
window.onpageshow = () => {
  for (const button of document.querySelectorAll("button")) button.ariaDisabled = null;
};
// The session's end, told two minutes ahead; put off in all tabs at once.
if (box) {
  const { idle, whole, again, renew, token, words } = box.dataset, [seen, heard] = box.querySelectorAll("p > *");
  const at = (seconds) => Date.now() + seconds * 1e3, leave = () => location.replace(location.pathname);
  const tabs = new BroadcastChannel("tid"), last = at(whole);
  let quiet = at(idle), told;
  tabs.postMessage(quiet);
  tabs.onmessage = ({ data }) => data > quiet && box.close(quiet = data);
  box.onsubmit = box.oncancel = async (event) => {
    if (event.target.method === "post") return;
    const answer = await fetch(renew, { method: "POST", headers: { "X-CSRFToken": token } });
    answer.ok ? tabs.postMessage(quiet = at(again)) : leave();
  };
  setInterval(() => {
    const end = Math.min(quiet, last), left = Math.ceil((end - Date.now()) / 1e3);
    if (left < 0) leave();
    if (left > 120) return;
    seen.textContent = words.replace("#", left);
    if (told !== end || left % 30 === 0) heard.textContent = seen.textContent;
    if (told === end) return;
    told = end;
    box.dataset.end = quiet < last ? "idle" : "whole";
    box.showModal();
  }, 1e3);
}
