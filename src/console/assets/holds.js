// What makes holds live: changes as they happen, keys, and the end of a long text. Pages work
// without it. Nothing here writes markup: what comes from the server is parsed apart, by the browser
// and without scripts, and its nodes are moved over; Trusted Types forbid everything else.

const one = (query, within = document) => within.querySelector(query);
const all = (query, within = document) => [...within.querySelectorAll(query)];

// Asks for a page as a document, of which parts are taken over: that is no look at the call. No script of
// it runs.
const read = (address) =>
  new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.setRequestHeader("x-parts", "1");
    request.timeout = 15000;
    // What is said instead of a page while there is none is no page.
    request.onload = () =>
      request.status < 500 && request.responseXML ? done(request.responseXML) : failed(request.status);
    request.onerror = request.ontimeout = () => failed(0);
    request.send();
  });

const take = (from, query) => {
  const found = one(query, from);
  return found && document.adoptNode(found);
};

const notice = (kind, words) => {
  const line = document.createElement("p");
  line.className = `notice ${kind}`.trim();
  line.textContent = words;
  return line;
};

// The inbox: what is new waits behind a button, so that nothing moves under a finger.

const inbox = {
  fresh: null,
  async changed() {
    const page = await read(location.href);
    const count = one("#count", page);
    // Signed out: the page leads to the door.
    if (!one("#list", page)) return location.reload();
    if (count) one("#count").textContent = count.textContent;
    document.title = count && count.textContent !== "0" ? `(${count.textContent}) Inbox · Portcullis` : "Inbox · Portcullis";
    const rows = new Map(all(".row", page).map((row) => [row.id, row]));
    for (const row of all(".row")) {
      const next = rows.get(row.id);
      if (!next) row.classList.add("gone");
      else if (next.dataset.version !== row.dataset.version) {
        const focused = row.contains(document.activeElement);
        row.replaceWith(document.adoptNode(next));
        if (focused) one("a", document.getElementById(row.id)).focus();
      }
      rows.delete(row.id);
    }
    this.fresh = page;
    times();
    const pill = one("#pill");
    const waiting = rows.size;
    if (!one(".row")) return this.show();
    pill.hidden = waiting === 0;
    pill.textContent = waiting === 1 ? "1 new" : `${waiting} new`;
    if (waiting) say(pill.textContent);
  },
  show() {
    const list = this.fresh && take(this.fresh, "#list");
    if (list) one("#list").replaceWith(list);
    one("#pill").hidden = true;
    times();
  },
};

// One hold: what happened elsewhere replaces the buttons, and typed words stay.

const hold = {
  // Words that are not sent yet, by the field they were typed into: through however many changes, and
  // through reading the call again.
  words: new Map(),
  gather() {
    for (const field of all("[data-kept]")) {
      if (field.value) this.words.set(field.id, field.value);
      else this.words.delete(field.id);
    }
  },
  give() {
    for (const [id, words] of this.words) {
      const field = document.getElementById(id);
      if (field) field.value = words;
      else one("#news").append(notice("kept", `Your words were kept: ${words}`));
    }
  },
  get place() {
    return `words ${one("#hold").dataset.id}`;
  },
  leave() {
    this.gather();
    if (this.words.size) sessionStorage.setItem(this.place, JSON.stringify([...this.words]));
  },
  arrive() {
    const left = sessionStorage.getItem(this.place);
    if (!left) return;
    sessionStorage.removeItem(this.place);
    this.words = new Map(JSON.parse(left));
    this.give();
  },
  async changed() {
    const here = one("#hold");
    const page = await read(location.href);
    const next = one("#hold", page);
    if (!next) return;
    if (next.dataset.version === here.dataset.version && next.dataset.state === here.dataset.state) return;
    this.gather();
    const open = all("details.act[open]").map((sheet) => sheet.id);
    const news = take(page, "#news");
    one("#news").replaceWith(news);
    one("#bar").replaceWith(take(page, "#bar"));
    // What is over has no time left.
    if (next.dataset.state !== "pending") one(".what-happens").replaceWith(take(page, ".what-happens"));
    if (next.dataset.state !== here.dataset.state || this.words.size)
      news.prepend(notice("", "This call changed while you looked at it."));
    this.give();
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    // What is on the screen is not what would be decided on: read it again.
    if (next.dataset.state === "pending" && one("#approve")) {
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = "Read it again";
      link.addEventListener("click", () => this.leave());
      const again = notice("warn", "Somebody acted on this call. ");
      again.append(link, " before you decide.");
      news.append(again);
      one("#approve").disabled = true;
    }
    here.dataset.version = next.dataset.version;
    here.dataset.state = next.dataset.state;
    times();
    say(`Now ${next.dataset.state.replace("_", " ")}`);
  },
};

const live = {
  async changed() {
    if (one("#pause")?.checked) return;
    const page = await read(location.href);
    const list = take(page, "#list");
    if (!list) return location.reload();
    one("#list").replaceWith(list);
    times();
  },
};

// Words on their way to one call are for the very next page: nobody who signs in after it finds them.
const here = one("#hold") ? hold.place : "";
for (const key of Object.keys(sessionStorage))
  if (key.startsWith("words ") && key !== here) sessionStorage.removeItem(key);

// What a form answered with stands under the form's address, which only takes forms.
if (one("#hold") && one("#live")) {
  const address = `/holds/${one("#hold").dataset.id}`;
  if (location.pathname !== address) history.replaceState(null, "", address);
  hold.arrive();
}

// A polite word for those who hear the page.
const voice = document.createElement("p");
voice.className = "hidden";
voice.setAttribute("aria-live", "polite");
document.body.append(voice);
const say = (words) => (voice.textContent = words);

const dot = one("#live");
const area = dot && { inbox, hold, live }[dot.dataset.of];

if (area) {
  dot.hidden = false;
  let last = Number(dot.dataset.feed) || 0;
  let polling = 0;
  let since = null;
  let waiting = 0;
  const tell = (words, state) => {
    dot.textContent = words;
    dot.className = `live ${state}`;
  };
  // One look at a time: what changes during one is looked at after it.
  let looking = false;
  let missed = false;
  const see = async () => {
    missed = looking;
    if (looking) return;
    looking = true;
    const seen = await area.changed().then(() => true, () => false);
    looking = false;
    if (!seen) offline();
    else if (polling) (online(), tell("Live, by asking", "on"));
    else if (since) online();
    if (missed) look(null);
  };
  // Many changes at once are one look.
  const look = (change) => {
    if (change && area === hold && change.hold !== one("#hold").dataset.id) return;
    clearTimeout(waiting);
    waiting = setTimeout(see, 120);
  };
  // A clock does not wait for a slow answer: it comes again.
  const every = (time) => setInterval(() => looking || see(), time);
  const offline = () => {
    since ??= new Date();
    const time = since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    tell(navigator.onLine ? `Reconnecting since ${time}` : `Offline since ${time}`, "off");
  };
  const online = () => {
    since = null;
    tell("Live", "on");
  };
  const connect = () => {
    const events = new EventSource(`/ui/events?after=${last}`);
    events.onopen = () => {
      clearInterval(polling);
      polling = 0;
      online();
    };
    events.addEventListener("hold", (event) => {
      last = Number(event.lastEventId) || last;
      look(JSON.parse(event.data));
    });
    // Too much was missed to be told one by one.
    events.addEventListener("again", (event) => {
      last = Number(event.lastEventId) || last;
      look(null);
    });
    events.onerror = () => {
      offline();
      events.close();
      polling ||= every(10000);
      setTimeout(connect, 4000);
    };
    window.addEventListener("pagehide", () => events.close(), { once: true });
  };
  window.addEventListener("offline", offline);
  window.addEventListener("online", () => look(null));
  connect();
  // Records of other kinds than holds have no event: the table of them asks.
  if (area === live) every(2000);
}

one("#pill")?.addEventListener("click", () => {
  inbox.show();
  one(".row a")?.focus();
});

// After a decision the next call is one key away.
if (one("#toast")) one("#toast #next, #toast a")?.focus({ preventScroll: true });

// A long text is approved after its end was seen.

const armed = () => {
  const article = one("#hold");
  const button = one("#approve");
  if (!article || !button || article.dataset.long !== "true") return;
  const seen = one("#seen");
  const binding = one("#act-approve [name=binding]")?.value;
  const end = one("#end");
  const key = `seen ${binding}`;
  const done = () => {
    seen.value = binding;
    button.disabled = false;
    one("#approve-hint").classList.add("hidden");
    sessionStorage.setItem(key, "yes");
  };
  if (sessionStorage.getItem(key)) return done();
  button.disabled = true;
  one("#approve-hint").classList.remove("hidden");
  // Fields and preview show a part of it, in a part of the page.
  if (!end) return;
  const watcher = new IntersectionObserver((entries) => {
    // What is folded was not seen.
    if (entries.some((entry) => entry.isIntersecting) && !one("#sheet .fold:not([open])")) {
      watcher.disconnect();
      done();
    }
  });
  watcher.observe(end);
};
armed();

// One sheet of words at a time.
document.addEventListener("toggle", (event) => {
  const sheet = event.target;
  if (!sheet.matches?.("details.act") || !sheet.open) return;
  for (const other of all("details.act[open]")) if (other !== sheet) other.open = false;
  one("textarea", sheet)?.focus();
}, true);

// How long ago, and how long still, in the reader's own time.

const near = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const times = () => {
  for (const time of all("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const seconds = (at - Date.now()) / 1000;
    const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
    time.title = at.toLocaleString();
    time.textContent = near.format(Math.round(seconds / size), unit);
  }
};
times();
setInterval(times, 30000);

// Keys of one letter, which can be switched off and never act while somebody types.

const dialog = one("#keys");
const keys = one("#keys-on");
if (keys) {
  keys.checked = localStorage.getItem("keys") !== "off";
  keys.addEventListener("change", () => localStorage.setItem("keys", keys.checked ? "on" : "off"));
}
let going = false;
let at = 0;
const open = (id) => {
  const sheet = one(id);
  if (!sheet) return;
  if (sheet.matches("details")) {
    sheet.open = true;
    one("textarea", sheet)?.focus();
  } else sheet.click();
};
const step = (items, by) => {
  if (!items.length) return;
  const now = items.indexOf(document.activeElement);
  items[Math.max(0, Math.min(items.length - 1, now < 0 ? (by > 0 ? 0 : items.length - 1) : now + by))].focus();
};
const acts = {
  j: () => step(all(".row a"), 1),
  k: () => step(all(".row a"), -1),
  n: () => jump(1),
  p: () => jump(-1),
  t: () => {
    const tabs = all(".tabs a");
    const now = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
    tabs[(now + 1) % tabs.length]?.click();
  },
  a: () => one("#approve")?.focus(),
  r: () => open("#act-reject"),
  c: () => open("#act-ask"),
  e: () => open("#act-edit"),
  s: () => one("#act-snooze button")?.click(),
  x: () => document.activeElement?.closest?.(".row")?.querySelector(".pick input")?.click(),
  "/": () => (one("#search") ? one("#search").focus() : location.assign("/")),
  "?": () => dialog?.showModal(),
  g: () => {
    going = true;
    setTimeout(() => (going = false), 1500);
  },
};
const jump = (by) => {
  const changes = all("#sheet h2[id]");
  if (!changes.length) return;
  at = Math.max(1, Math.min(changes.length, at + by));
  const change = one(`#c${at}`);
  change.closest("details")?.setAttribute("open", "");
  change.focus({ preventScroll: true });
  change.nextElementSibling?.scrollIntoView({ block: "center" });
};
const goals = { i: "/", h: "/history", l: "/live", p: "/policy" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "Escape") {
    for (const sheet of all("details.act[open]")) {
      sheet.open = false;
      one("summary", sheet).focus();
    }
    return;
  }
  if (typing || dialog?.open || keys?.checked === false) return;
  const act = going && goals[event.key] ? () => location.assign(goals[event.key]) : acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
