"use strict";

{
  const MOST_SENTENCES = 100; // are drawn
  const MOST_SHARED = 2000; // characters that the address of the page takes
  const COLUMNS = ["id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel"];
  const at = (id) => document.getElementById(id);
  const form = at("form"), text = at("text"), button = at("button"), model = at("model");
  const status = at("status"), error = at("error"), sentences = at("sentences");

  const made = (name, content, attributes) => {
    const element = document.createElement(name);
    if (content !== undefined) element.textContent = content;
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    return element;
  };

  function table(tokens) {
    const shown = made("table"), head = shown.createTHead().insertRow();
    for (const name of COLUMNS) head.append(made("th", name, { scope: "col" }));
    const body = shown.createTBody();
    for (const token of tokens) {
      const row = body.insertRow();
      for (const name of COLUMNS) {
        const value = token[name];
        const cell = Array.isArray(value) ? value.join("-") : value === undefined ? "" : value;
        row.append(made("td", cell, name === "form" || name === "lemma" ? { dir: "auto" } : {}));
      }
    }
    return shown;
  }

  function article(sentence, number) {
    const shown = made("article");
    const words = sentence.tokens.filter((token) => !Array.isArray(token.id));
    shown.append(made("p", sentence.text, { dir: "auto" }));
    const tree = made("div", undefined, {
      class: "tree", tabindex: "0", role: "group", "aria-label": `Tree of sentence ${number}`,
    });
    const tokens = sentence.tokens.filter((token) => Array.isArray(token.id));
    tree.append(drawTree(words, undefined,
      tokens.map(({ id: [first, last], form }) => ({ first, last, form }))));
    const details = made("details"), box = made("div", undefined, {
      class: "table", tabindex: "0", role: "group", "aria-label": `Words of sentence ${number}`,
    });
    details.append(made("summary", `${words.length} ${words.length === 1 ? "word" : "words"}`), box);
    details.addEventListener("toggle", () => {
      if (!box.hasChildNodes()) box.append(table(sentence.tokens));
    });
    shown.append(tree, details);
    return shown;
  }

  function show(found, milliseconds) {
    sentences.replaceChildren(
      ...found.slice(0, MOST_SENTENCES).map((sentence, i) => article(sentence, i + 1)),
    );
    // a right-to-left tree begins at its right end
    for (const tree of sentences.querySelectorAll(".tree"))
      if (tree.firstChild.getAttribute("direction") === "rtl") tree.scrollLeft = tree.scrollWidth;
    const n = found.length;
    const rest = n > MOST_SENTENCES ? `, the first ${MOST_SENTENCES} of them below` : "";
    status.textContent = n
      ? `${n} ${n === 1 ? "sentence" : "sentences"}${rest} · ${Math.round(milliseconds)} ms`
      : "There are no words in it.";
  }

  function fail(message) {
    status.textContent = "";
    error.textContent = message;
    error.hidden = false;
  }

  async function annotate() {
    const given = text.value;
    if (!given.trim()) {
      text.focus();
      return;
    }
    let address = location.pathname;
    try {
      if (given.length <= MOST_SHARED) address = `#text=${encodeURIComponent(given)}`;
    } catch {
      // half of a surrogate pair has no encoding; the server says what is wrong with the text
    }
    history.replaceState(null, "", address);
    button.disabled = true;
    error.hidden = true;
    sentences.replaceChildren();
    sentences.setAttribute("aria-busy", "true");
    status.textContent = "Annotating …";
    const begun = performance.now();
    try {
      const request = { text: given };
      if (model.value) request.model = model.value;
      const response = await fetch("annotate", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(request),
      });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) show(answer.sentences, performance.now() - begun);
      else fail(answer.error || `The server answered with status ${response.status}.`);
    } catch {
      fail("The server does not answer. Is it still running?");
    } finally {
      button.disabled = false;
      sentences.removeAttribute("aria-busy");
    }
  }

  async function chooseModels() {
    const { models, default_model: first } = await (await fetch("models")).json();
    const names = Object.keys(models).filter((name) => models[name].includes("tokenizer"));
    model.replaceChildren(...names.map((name) => made("option", name, { value: name })));
    if (names.includes(first)) model.value = first;
    at("choice").hidden = names.length < 2;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    annotate();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !button.disabled) {
      event.preventDefault();
      annotate();
    }
  });
  const begin = () => {
    if (!location.hash.startsWith("#text=")) return;
    try {
      text.value = decodeURIComponent(location.hash.slice("#text=".length));
    } catch {
      return; // a % that encodes nothing
    }
    annotate();
  };
  addEventListener("hashchange", begin);
  chooseModels().catch(() => {}).finally(begin);
}
