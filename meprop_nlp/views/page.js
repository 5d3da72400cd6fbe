// The page: the sentences of the data block, those in view drawn, in the order that is chosen.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const sentences = data.sentences.map((each, place) => {
    const [block, wrong, missing] = Array.isArray(each) ? each : [each, {}, []];
    return { place, block, wrong, missing };
  });
  const hasGold = data.scores !== null;
  const list = byId("list"), query = byId("query"), order = byId("order"), found = byId("found");
  const LONGEST_TASK = 25; // milliseconds between two moments at which the page can answer
  const MOST_FILLED = 60; // sentences that keep their drawing when they are out of view
  const CHUNK = 40, ABOUT_HIGH = 320; // sentences, and pixels of one
  const NAMES = { upos: "UPOS", xpos: "XPOS", feats: "FEATS", deprel: "DEPREL" };

  function make(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  const number = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

  // What is wrong in a sentence

  const ASPECTS = [
    ["head", "head"], ["deprel", "relation"], ["upos", "UPOS"], ["xpos", "XPOS"],
    ["feats", "FEATS"], ["lemma", "lemma"],
  ];
  for (const sentence of sentences) {
    const counts = Object.fromEntries(ASPECTS.map(([column]) => [column, 0]));
    let arcs = 0, others = 0, unknown = 0;
    for (const gold of Object.values(sentence.wrong)) {
      if (gold === null) {
        unknown += 1;
        continue;
      }
      for (const column of Object.keys(gold)) counts[column] += 1;
      if ("head" in gold || "deprel" in gold) arcs += 1;
      else others += 1;
    }
    arcs += unknown + sentence.missing.length;
    Object.assign(sentence, { counts, unknown, arcs, others });
  }
  const lengthOf = (sentence) => sentence.block.split("\n").filter((l) => !l.startsWith("#")).length;
  const ORDERS = {
    file: (a, b) => a.place - b.place,
    wrong: (a, b) => b.arcs - a.arcs || b.others - a.others || a.place - b.place,
    share: (a, b) => b.arcs / b.length - a.arcs / a.length
      || b.others / b.length - a.others / a.length || a.place - b.place,
  };

  function whatIsWrong(sentence) {
    const parts = ASPECTS.filter(([column]) => sentence.counts[column]).map(([column, name]) => {
      const n = sentence.counts[column];
      return `${n} ${name}${n > 1 && name === name.toLowerCase() ? "s" : ""}`;
    });
    if (sentence.unknown) parts.push(`${sentence.unknown} not in gold`);
    if (sentence.missing.length) parts.push(`${sentence.missing.length} missing`);
    return parts;
  }

  // One sentence

  const asWord = (columns) => ({
    id: columns[0], form: columns[1], upos: columns[3], xpos: columns[4],
    head: columns[6] === "_" ? -1 : Number(columns[6]), deprel: columns[7],
  });

  const asToken = ([id, form]) => {
    const [first, last] = id.split("-").map(Number);
    return { first, last, form };
  };
  const asNode = ([id, form, , upos, xpos]) => ({ after: parseInt(id, 10), form, upos, xpos });

  function tree(sentence, hits) {
    const others = (mark) => sentence.lines.filter(([id]) => id.includes(mark));
    const svg = drawTree(sentence.words.map(asWord), sentence.wrong,
      others("-").map(asToken), others(".").map(asNode));
    const forms = svg.querySelectorAll('text[font-size="15"]:not(.empty)');
    sentence.words.slice(0, forms.length).forEach((word, i) => {
      const told = [2, 4, 5].map((place) => word[place]).filter((value) => value !== "_");
      const title = document.createElementNS(svg.namespaceURI, "title");
      title.textContent = told.join("\n");
      if (told.length) forms[i].append(title);
      if (hits.has(i)) forms[i].classList.add("hit");
    });
    const isLeftwards = svg.hasAttribute("direction");
    const box = make("div", {
      class: "tree", tabindex: "0", role: "group", "aria-label": "Tree",
      ...(isLeftwards ? { dir: "rtl" } : {}),
    }, svg);
    return [box, isLeftwards];
  }

  function cell(sentence, columns, place) {
    const td = make("td", place === 1 || place === 2 ? { dir: "auto" } : {});
    const gold = sentence.wrong[columns[0]], name = COLUMNS[place];
    if (gold === null && place === 1) td.append(make("span", { class: "wrong" }, columns[place]));
    else if (gold && name in gold) {
      const right = name === "head" && gold.head === -1 ? "elsewhere" : String(gold[name]);
      td.append(
        make("span", { class: "wrong" }, columns[place]), " ",
        make("span", { class: "gold" }, right),
      );
    } else td.append(columns[place] === undefined ? "" : columns[place]);
    return td;
  }

  function table(sentence, hits) {
    const places = COLUMNS.map((_, place) => place).filter((place) =>
      place < 2 || sentence.lines.some((line) => (line[place] || "_") !== "_")
      || Object.values(sentence.wrong).some((gold) => gold && COLUMNS[place] in gold));
    const head = make("tr", {}, ...places.map((p) => make("th", { scope: "col" }, COLUMNS[p].toUpperCase())));
    const rows = sentence.lines.map((columns) => {
      const isWord = /^\d+$/.test(columns[0]);
      const kind = !isWord ? "other" : hits.has(Number(columns[0]) - 1) ? "hit" : "";
      return make("tr", kind ? { class: kind } : {}, ...places.map((p) => cell(sentence, columns, p)));
    });
    return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  }

  function columnsOf(sentence, hits) {
    const details = make("details", { class: "columns" }, make("summary", {}, "Columns"));
    details.addEventListener("toggle", () => {
      if (!details.open || details.children.length > 1) return;
      if (sentence.comments.length)
        details.append(make("pre", { dir: "auto" }, sentence.comments.join("\n")));
      details.append(make("div",
        { class: "sideways", tabindex: "0", role: "group", "aria-label": "Columns" },
        table(sentence, hits)));
    });
    details.open = byId("columns").checked;
    return details;
  }

  function fill(item) {
    const { sentence, hits } = shownIn.get(item);
    parsedSentence(sentence);
    const [box, isLeftwards] = tree(sentence, hits);
    const top = make("div", { class: "top" }, make("b", {}, String(sentence.place + 1)));
    const id = commentOf(sentence, "sent_id");
    if (id) top.append(make("span", { class: "id", dir: "auto" }, id));
    if (hasGold) {
      const wrong = whatIsWrong(sentence);
      top.append(make("span", { class: "counts" }, wrong.length
        ? make("span", { class: "wrong" }, `✗ ${wrong.join(", ")}`)
        : make("span", { class: "right" }, "✓ all right")));
    }
    item.append(
      top, make("p", { class: "text", dir: isLeftwards ? "rtl" : "auto" }, textOf(sentence)), box);
    if (sentence.missing.length) {
      item.append(make("p", { class: "missing" }, "Gold has here too: ",
        make("em", { class: "gold", dir: "auto" }, sentence.missing.join(" "))));
    }
    item.append(columnsOf(sentence, hits));
    item.classList.remove("far");
    item.style.height = "";
  }

  // The list: chunks of items, an item for each sentence. Chunks near the view have items, and
  // items near it have content. All others are empty boxes of about their height, so that the page
  // is laid out and drawn quickly however many there are.

  let shownIn = new Map(); // what a chunk or an item shows: a list of results, or a result
  const filled = { chunks: new Set(), items: new Set() }; // the latest to come into view are last
  const inView = new Set();

  function emptyFar(kind, most) {
    const surplus = filled[kind].size - most;
    if (surplus <= 0) return;
    const far = [...filled[kind]].filter((each) =>
      !inView.has(each) && !each.contains(document.activeElement)).slice(0, surplus);
    // all heights are read before anything changes: the page is laid out once
    const heights = far.map((each) => each.offsetHeight);
    far.forEach((each, i) => {
      each.style.height = `${heights[i]}px`;
      for (const child of kind === "chunks" ? each.children : []) {
        items.unobserve(child);
        shownIn.delete(child);
        inView.delete(child);
        filled.items.delete(child);
      }
      each.replaceChildren();
      filled[kind].delete(each);
    });
  }

  const watcher = (kind, most, margin, fillOne) => new IntersectionObserver((entries) => {
    const coming = [];
    for (const { target, isIntersecting } of entries) {
      if (!shownIn.has(target)) continue;
      if (!isIntersecting) {
        inView.delete(target);
        continue;
      }
      inView.add(target);
      if (!filled[kind].delete(target)) coming.push(target);
      filled[kind].add(target);
    }
    emptyFar(kind, most);
    coming.forEach(fillOne);
  }, { rootMargin: `${margin}px 0px` });

  function fillChunk(chunk) {
    for (const result of shownIn.get(chunk)) {
      const item = make("li", { class: "far", tabindex: "-1" });
      shownIn.set(item, result);
      chunk.append(item);
      items.observe(item);
    }
    chunk.style.height = "";
  }
  const items = watcher("items", MOST_FILLED, 700, fill);
  const chunks = watcher("chunks", 4, 1500, fillChunk);

  function clear() {
    for (const each of [items, chunks]) each.disconnect();
    for (const each of [filled.items, filled.chunks, inView]) each.clear();
    shownIn = new Map();
    list.replaceChildren();
  }

  function show(results) {
    for (let first = 0; first < results.length; first += CHUNK) {
      const part = results.slice(first, first + CHUNK), chunk = make("ol");
      chunk.style.height = `${part.length * ABOUT_HIGH}px`;
      shownIn.set(chunk, part);
      list.append(chunk);
      chunks.observe(chunk);
    }
  }

  const pause = () => new Promise((resolve) => setTimeout(resolve));
  let search = 0; // the number of the latest one; an earlier one stops

  async function look() {
    const own = ++search, wanted = parseQuery(query.value);
    found.classList.toggle("fault", Boolean(wanted.fault));
    clear();
    if (wanted.fault) {
      found.textContent = wanted.fault;
      return;
    }
    if (order.value === "share") for (const each of sentences) each.length ||= lengthOf(each);
    const ordered = sentences.slice().sort(ORDERS[hasGold ? order.value : "file"]);
    let n = 0, nWords = 0, batch = [], isFirst = true, until = performance.now() + LONGEST_TASK;
    const tell = (isDone) => {
      found.textContent = wanted.isEmpty ? number(n, "sentence")
        : `${number(n, "sentence")} of ${sentences.length.toLocaleString("en")}`
          + `${nWords ? `, ${number(nWords, "word")}` : ""}${isDone ? "" : " …"}`;
    };
    for (const sentence of ordered) {
      const hits = wanted.isEmpty ? new Set() : hitsIn(sentence, wanted);
      if (hits) {
        n += 1;
        nWords += hits.size;
        batch.push({ sentence, hits });
      }
      if (performance.now() < until) continue;
      tell(false);
      // what is found first is shown at once, and all else in full chunks
      const whole = isFirst ? batch.length : batch.length - (batch.length % CHUNK);
      show(batch.splice(0, whole));
      isFirst = isFirst && !whole;
      await pause();
      if (own !== search) return;
      until = performance.now() + LONGEST_TASK;
    }
    show(batch);
    tell(true);
  }

  // Confusions

  const quoted = (value) => (/^[\w=.$:+-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`);

  function showPair(column, gold, system) {
    query.value = `gold.${column}:${quoted(gold)} ${column}:${quoted(system)}`;
    look();
    found.scrollIntoView({ block: "center" });
  }

  function pairButton(column, gold, system, content, title) {
    const button = make("button", { type: "button", title }, ...content);
    button.addEventListener("click", () => showPair(column, gold, system));
    return button;
  }

  function showConfusions(column) {
    for (const tab of byId("tabs").children)
      tab.setAttribute("aria-pressed", String(tab.dataset.column === column));
    const pairs = data.confusions[column], wrong = pairs.filter(([g, s]) => g !== s);
    const title = (g, s, n) => `${number(n, "word")}: gold ${g}, system ${s}`;
    byId("pairs").replaceChildren(...wrong.slice(0, 200).map(([g, s, n]) => make("li", {},
      pairButton(column, g, s, [make("span", {}, `${g} → ${s}`),
        make("span", {}, n.toLocaleString("en"))], title(g, s, n)))));
    if (!wrong.length) byId("pairs").append(make("li", {}, "Nothing is wrong here."));
    const errors = new Map(), sizes = new Map(), counts = new Map();
    for (const [g, s, n] of pairs) {
      counts.set(`${g}\n${s}`, n);
      sizes.set(g, (sizes.get(g) || 0) + n);
      if (g !== s) for (const each of [g, s]) errors.set(each, (errors.get(each) || 0) + n);
    }
    const labels = [...errors].sort((a, b) => b[1] - a[1]).slice(0, 18).map(([label]) => label);
    if (column === "feats") labels.sort();
    else labels.sort((a, b) => (sizes.get(b) || 0) - (sizes.get(a) || 0));
    const most = Math.max(1, ...wrong.map(([, , n]) => n));
    const head = make("tr", {}, make("td"), ...labels.map((s) => make("th", { scope: "col" }, make("span", {}, s))));
    const rows = labels.map((g) => make("tr", {}, make("th", { scope: "row" }, g),
      ...labels.map((s) => {
        const n = counts.get(`${g}\n${s}`);
        if (g === s) return make("td", { class: "right" }, n ? n.toLocaleString("en") : "");
        if (!n) return make("td");
        const button = pairButton(column, g, s, [n.toLocaleString("en")], title(g, s, n));
        button.style.setProperty("--share", String(0.12 + 0.5 * (n / most)));
        return make("td", {}, button);
      })));
    byId("matrix").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  }

  function showSummary() {
    for (const [name, f1] of data.scores)
      byId("scores").append(make("div", {}, make("dt", {}, name),
        make("dd", {}, f1 === null ? "–" : f1.toFixed(2))));
    const columns = Object.keys(data.confusions);
    for (const column of columns) {
      const tab = make("button", { type: "button", "data-column": column }, NAMES[column]);
      tab.addEventListener("click", () => showConfusions(column));
      byId("tabs").append(tab);
    }
    if (columns.length) showConfusions(columns[0]);
    else byId("confusions").remove();
  }

  // Keys and choices

  function go(step) {
    const near = [...list.querySelectorAll("li")];
    const at = near.indexOf(document.activeElement.closest?.("#list li"));
    let next = at + step;
    if (at < 0) // from the first one below the head of the page
      next = near.findIndex((item) => item.getBoundingClientRect().bottom > 120);
    const item = near[Math.max(0, Math.min(next, near.length - 1))];
    if (!item) return;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "start" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      byId("help").open = false;
      if (query.value) {
        query.value = "";
        look();
      }
      return;
    }
    if (event.target.matches("input, select")) return;
    const item = document.activeElement.closest?.("#list li");
    const keys = {
      "/": () => query.select(),
      j: () => go(1),
      k: () => go(-1),
      c: () => {
        const details = item && item.querySelector(".columns");
        if (details) details.open = !details.open;
        else byId("columns").click();
      },
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  let typing = 0;
  query.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(look, 120);
  });
  order.addEventListener("change", look);
  byId("columns").addEventListener("change", () => {
    for (const details of list.querySelectorAll(".columns"))
      details.open = byId("columns").checked;
  });
  document.addEventListener("click", (event) => {
    if (!byId("help").contains(event.target)) byId("help").open = false;
  });

  byId("title").textContent = data.title;
  document.body.classList.toggle("has-gold", hasGold);
  if (hasGold) showSummary();
  look();
})();
