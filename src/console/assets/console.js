// What makes pages comfortable. Everything works without it; nothing here decides anything.

// A set-up link carries its secret behind the `#`, which is sent nowhere: it goes into the form and
// out of the address.
for (const part of document.querySelectorAll("[data-filled-from-link]")) {
  const field = part.querySelector("input");
  const secret = location.hash.slice(1);
  if (field && /^pcs_[A-Za-z0-9_-]{43}$/.test(secret)) {
    field.value = secret;
    part.hidden = true;
    history.replaceState(null, "", location.pathname);
  }
}

// One menu at a time, closed by Escape or by a click beside it.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
