// drawTree(words, wrong, tokens, nodes): a dependency tree as an <svg> element, as data/tree_svg.py draws it.
// Change both together: a test compares them, element for element.
"use strict";

const drawTree = (() => {
  const MOST_WORDS = 400;
  const FORM = 15, LABEL = 11, TOKEN = 13, GAP = 18, STEP = 22, HIGHEST = 480, BEND = 6, MARGIN = 8;
  const TAG = 34, GOLD_TAG = 48, BRACKET = 8, TOKEN_FORM = 23;
  const UNSET = -1, ROOT = 0;
  const WRONG = "#e5484d", GOLD = "#2b9a66";
  const SVG = "http://www.w3.org/2000/svg";

  const PLAIN = { line: { stroke: "currentColor", opacity: "0.6" }, arrow: {}, text: {} };
  const FAINT = { text: { opacity: "0.7" } };
  const EMPTY = { text: { opacity: "0.7", class: "empty" } };
  const WRONG_ARC = {
    line: { stroke: WRONG, "stroke-width": "1.5", "stroke-dasharray": "5 3", class: "wrong" },
    arrow: { fill: WRONG, class: "wrong" },
    text: { fill: WRONG, class: "wrong" },
  };
  const WRONG_TEXT = { text: { fill: WRONG, "text-decoration": "underline", class: "wrong" } };
  const GOLD_ARC = {
    line: { stroke: GOLD, "stroke-width": "1.5", class: "gold" },
    arrow: { fill: GOLD, class: "gold" },
    text: { fill: GOLD, "font-style": "italic", class: "gold" },
  };

  // East Asian characters and emoji that are as wide as they are high
  const WIDE = new RegExp(
    "[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97c\\uac00-\\ud7a3\\uf900-\\ufaff" +
      "\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18dff}" +
      "\\u{1aff0}-\\u{1b2ff}\\u{20000}-\\u{3fffd}\\p{Emoji_Presentation}]",
    "u",
  );
  const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;
  const LETTER = /\p{L}/u;
  const LEFTWARDS = new RegExp(
    "[" +
      ["Hebrew", "Arabic", "Syriac", "Thaana", "Nko", "Samaritan", "Mandaic", "Adlam",
        "Hanifi_Rohingya", "Mende_Kikakui", "Avestan", "Phoenician", "Imperial_Aramaic"]
        .map((script) => `\\p{Script=${script}}`).join("") +
      "]",
    "u",
  );

  // six digits, as Python's format "g" has them
  const g = (number) => String(Number(number.toPrecision(6)));

  // without control characters, halves of characters, and what is no character
  const printable = (text) => text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "\ufffd");

  function element(name, attributes, content) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (content !== undefined) made.textContent = printable(content);
    return made;
  }

  function share(character) {
    if (NO_WIDTH.test(character)) return 0;
    return WIDE.test(character) ? 1 : 0.62;
  }

  function textWidth(text, size) {
    let sum = 0, n = 0;
    for (const character of text) {
      if (n++ === 200) break;
      sum += share(character);
    }
    return size * sum;
  }

  function isLeftwards(words) {
    for (const word of words)
      for (const character of word.form)
        if (LETTER.test(character)) return LEFTWARDS.test(character);
    return false;
  }

  const value = (word, column) => (word[column] === undefined ? "_" : word[column]);
  const shown = (text) => (text === "_" ? "" : text);
  const headOf = (word) => (word.head === undefined ? UNSET : word.head);

  function tag(word, gold) {
    const column = value(word, "upos") !== "_" || "upos" in gold ? "upos" : "xpos";
    return [shown(value(word, column)), gold[column] || ""];
  }

  function shownLabel(word, gold) {
    return [shown(value(word, "deprel")), "head" in gold ? "" : gold.deprel || ""];
  }

  function goldLabel(word, gold) {
    return shown(gold.deprel === undefined ? value(word, "deprel") : gold.deprel);
  }

  function arcsOf(heads) {
    const ends = [];
    heads.forEach((head, i) => {
      if (head >= 1 && head <= heads.length && head - 1 !== i)
        ends.push([Math.abs(head - 1 - i), Math.min(head - 1, i), head - 1, i]);
    });
    ends.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]);
    const highest = new Array(heads.length).fill(0);
    return ends.map(([length, first, head, dependent]) => {
      let level = 1;
      for (let i = first; i < first + length; i++) level = Math.max(level, highest[i] + 1);
      highest.fill(level, first, first + length);
      return { head, dependent, level };
    });
  }

  function heights(arcs, heads) {
    const levels = arcs.reduce((most, arc) => Math.max(most, arc.level), 0);
    const step = Math.min(STEP, HIGHEST / Math.max(levels, 1));
    return [step, levels * step + (heads.includes(ROOT) ? STEP : 0)];
  }

  // the indices of a token's words
  function wordsOf(token, words) {
    const last = Math.min(token.last, words.length);
    return Array.from({ length: last - token.first + 1 }, (_, i) => token.first - 1 + i);
  }

  function widthsOf(words, columns, tags, goldHeads, tokens) {
    const widths = words.map((word, i) =>
      Math.max(textWidth(word.form, FORM), ...tags[i].map((text) => textWidth(text, LABEL))),
    );
    const widen = (dependent, head, space) => {
      widths[dependent] = Math.max(widths[dependent], space);
      if (head >= 1 && head <= widths.length) widths[head - 1] = Math.max(widths[head - 1], space);
    };
    words.forEach((word, i) => {
      const [label, gold] = shownLabel(word, columns[i]);
      widen(i, headOf(word), textWidth(gold ? `${label} ${gold}` : label, LABEL));
      if (goldHeads[i] !== UNSET)
        widen(i, goldHeads[i], textWidth(goldLabel(word, columns[i]), LABEL));
    });
    for (const token of tokens) {
      const bracketed = wordsOf(token, words), n = bracketed.length;
      const room = bracketed.reduce((sum, i) => sum + widths[i], (n - 1) * GAP);
      const lack = textWidth(token.form, TOKEN) - room;
      for (const i of bracketed) widths[i] += Math.max(0, lack) / n;
    }
    return widths;
  }

  const nodeForm = (node) => `(${node.form})`;
  const nodeTag = (node) => shown(value(node, "upos")) || shown(value(node, "xpos"));

  function placesOf(widths, nodes, leftwards) {
    const columns = widths.map((width, i) => [i + 1, 0, width]);
    nodes.forEach((node, i) => {
      const width = Math.max(textWidth(nodeForm(node), FORM), textWidth(nodeTag(node), LABEL));
      columns.push([node.after, i + 1, width]);
    });
    columns.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const places = [], nodePlaces = [];
    let x = MARGIN;
    for (const [word, node, width] of columns) {
      if (node) nodePlaces[node - 1] = x + width / 2;
      else places[word - 1] = x + width / 2;
      x += width + GAP;
    }
    const whole = x + MARGIN;
    const turned = (middles) => (leftwards ? middles.map((middle) => whole - middle) : middles);
    return [turned(places), turned(nodePlaces), whole];
  }

  const textAt = (x, y, size, style) =>
    ({ x: g(x), y: g(y), "font-size": String(size), "text-anchor": "middle", ...style.text });

  const line = (path, style) => element("path", { d: path, fill: "none", ...style.line });

  function arrow(x, y, side, style) {
    const path = `M${g(x - 3.5)},${g(y + 6 * side)} H${g(x + 3.5)} L${g(x)},${g(y)} Z`;
    return element("path", { d: path, ...style.arrow });
  }

  // words: [{id, form, upos, xpos, head, deprel}], of which id and form must be there;
  //   head is 0 for a root and -1, or left out, for a word without one
  // wrong: {id: {column: gold value} or null}, as `Wrong` in data/tree_svg.py; may be left out
  // tokens: the multiword tokens, [{first, last, form}]; may be left out
  // nodes: the empty nodes, [{after, form, upos, xpos}]; may be left out
  function draw(words, wrong, tokens, nodes) {
    const isCut = words.length > MOST_WORDS;
    words = words.slice(0, MOST_WORDS);
    tokens = (tokens || []).filter((token) => token.first <= words.length);
    nodes = (nodes || []).filter((node) => node.after <= words.length).slice(0, MOST_WORDS);
    wrong = wrong || {};
    const columns = words.map((word) => wrong[word.id] || {});
    const heads = words.map(headOf);
    const goldHeads = columns.map((gold) => ("head" in gold ? gold.head : UNSET));
    const tags = words.map((word, i) => tag(word, columns[i]));
    const leftwards = isLeftwards(words);
    const widths = widthsOf(words, columns, tags, goldHeads, tokens);
    const [places, nodePlaces, width] = placesOf(widths, nodes, leftwards);

    const arcs = arcsOf(heads), goldArcs = arcsOf(goldHeads);
    const top = MARGIN + LABEL;
    const [step, rise] = heights(arcs, heads);
    const base = top + rise;
    const below = base + (tags.some(([, gold]) => gold) ? GOLD_TAG : TAG);
    const floor = below + (tokens.length ? TOKEN_FORM : 0) + MARGIN;
    const [goldStep, fall] = heights(goldArcs, goldHeads);
    const bottom = floor + fall;
    const height = bottom + (bottom > floor ? LABEL + MARGIN : 0);

    const svg = element("svg", {
      role: "img",
      "aria-label": printable(words.map((word) => word.form).join(" ")),
      ...(leftwards ? { direction: "rtl" } : {}),
      width: g(width),
      height: g(height),
      viewBox: `0 0 ${g(width)} ${g(height)}`,
      "font-family": "sans-serif",
      fill: "currentColor",
    });
    // lines first, so that no line lies over a text
    const lines = [], texts = [];
    const write = (x, y, size, text, style) => {
      if (text) texts.push(element("text", textAt(x, y, size, style), text));
    };
    const writeLabel = (x, y, word, gold) => {
      const [label, other] = shownLabel(word, gold);
      if (other) {
        const both = element("text", textAt(x, y, LABEL, PLAIN));
        both.append(
          element("tspan", WRONG_TEXT.text, label), " ", element("tspan", GOLD_ARC.text, other),
        );
        texts.push(both);
      } else {
        const ofWrong = "deprel" in gold ? WRONG_TEXT : WRONG_ARC;
        write(x, y, LABEL, label, "head" in gold ? ofWrong : PLAIN);
      }
    };
    const styleOf = (gold) => ("head" in gold ? WRONG_ARC : PLAIN);
    const bow = (arc, from, stepDown, style) => {
      let start = places[arc.head];
      const end = places[arc.dependent], y = from + arc.level * stepDown;
      const side = end > start ? 1 : -1;
      start += 4 * side;
      const bend = Math.min(BEND, Math.abs(stepDown));
      const turn = y + (stepDown < 0 ? bend : -bend);
      lines.push(
        line(
          `M${g(start)},${g(from)} V${g(turn)} Q${g(start)},${g(y)} ${g(start + side * bend)},` +
            `${g(y)} H${g(end - side * bend)} Q${g(end)},${g(y)} ${g(end)},${g(turn)} V${g(from)}`,
          style,
        ),
        arrow(end, from, stepDown < 0 ? -1 : 1, style),
      );
      return (start + end) / 2;
    };

    words.forEach((word, i) => {
      const place = places[i], gold = columns[i];
      const isUnknown = word.id in wrong && wrong[word.id] === null;
      write(place, base + 18, FORM, word.form, isUnknown ? WRONG_TEXT : PLAIN);
      const [tagText, goldTag] = tags[i];
      write(place, base + TAG, LABEL, tagText, goldTag ? WRONG_TEXT : FAINT);
      write(place, base + GOLD_TAG, LABEL, goldTag, GOLD_ARC);
      if (heads[i] === ROOT) {
        lines.push(line(`M${g(place)},${g(top)} V${g(base)}`, styleOf(gold)));
        lines.push(arrow(place, base, -1, styleOf(gold)));
        writeLabel(place, top - 3, word, gold);
      }
      if (goldHeads[i] === ROOT) {
        lines.push(line(`M${g(place)},${g(bottom)} V${g(floor)}`, GOLD_ARC));
        lines.push(arrow(place, floor, 1, GOLD_ARC));
        write(place, bottom + LABEL, LABEL, goldLabel(word, gold), GOLD_ARC);
      }
    });
    for (const arc of arcs) {
      const gold = columns[arc.dependent], word = words[arc.dependent];
      const middle = bow(arc, base, -step, styleOf(gold));
      writeLabel(middle, base - arc.level * step - 3, word, gold);
    }
    for (const arc of goldArcs) {
      const gold = columns[arc.dependent], word = words[arc.dependent];
      const middle = bow(arc, floor, goldStep, GOLD_ARC);
      write(middle, floor + arc.level * goldStep + LABEL, LABEL, goldLabel(word, gold), GOLD_ARC);
    }
    nodes.forEach((node, i) => {
      write(nodePlaces[i], base + 18, FORM, nodeForm(node), EMPTY);
      write(nodePlaces[i], base + TAG, LABEL, nodeTag(node), FAINT);
    });
    for (const token of tokens) {
      const bracketed = wordsOf(token, words), y = below + BRACKET;
      const left = Math.min(...bracketed.map((i) => places[i] - widths[i] / 2));
      const right = Math.max(...bracketed.map((i) => places[i] + widths[i] / 2));
      lines.push(line(`M${g(left)},${g(y - 4)} V${g(y)} H${g(right)} V${g(y - 4)}`, PLAIN));
      write((left + right) / 2, below + TOKEN_FORM, TOKEN, token.form, PLAIN);
    }
    if (isCut) write(leftwards ? MARGIN : width - MARGIN, base + 18, FORM, "…", PLAIN);
    svg.append(...lines, ...texts);
    return svg;
  }
  return draw;
})();
