// parseQuery(text): what is looked for; parsedSentence(sentence): the columns of its words;
// hitsIn(sentence, query): which words are found.

const COLUMNS = ["id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"];
const PLACE = Object.fromEntries(COLUMNS.map((name, place) => [name, place]));

// Fills in words (lists of columns), lines (with those of other tokens), comments, id and text.
function parsedSentence(sentence) {
  if (sentence.words) return sentence;
  const words = [], lines = [], comments = [];
  const firsts = new Map(); // the forms and ends of multiword tokens, by their first word
  for (const line of sentence.block.split("\n")) {
    // a form may be "#": only what has no columns is a comment
    if (line.startsWith("#")) {
      comments.push(line);
      continue;
    }
    const columns = line.split("\t");
    lines.push(columns);
    if (/^\d+$/.test(columns[0])) words.push(columns);
    else if (columns[0].includes("-")) {
      const [first, last] = columns[0].split("-").map(Number);
      firsts.set(first, { last, columns });
    }
  }
  const comment = (key) => {
    for (const line of comments.slice().reverse()) {
      const equals = line.indexOf("=");
      if (equals > 0 && line.slice(1, equals).trim() === key) return line.slice(equals + 1).trim();
    }
    return undefined;
  };
  let joined = "", covered = 0;
  const tokens = [];
  words.forEach((columns, i) => {
    const token = firsts.get(i + 1);
    if (token) covered = token.last;
    else if (i + 1 <= covered) return;
    const surface = token ? token.columns : columns;
    const isBeforeSpace = !(surface[PLACE.misc] || "").split("|").includes("SpaceAfter=No");
    tokens.push(surface[PLACE.form]);
    joined += surface[PLACE.form] + (isBeforeSpace ? " " : "");
  });
  const given = comment("text");
  return Object.assign(sentence, {
    words, lines, comments, tokens, id: comment("sent_id"),
    text: given === undefined ? joined.trim() : given,
  });
}

const parseQuery = (() => {
  const FIELDS = {
    form: ["form"], lemma: ["lemma"], upos: ["upos"], xpos: ["xpos"], tag: ["upos", "xpos"],
    feats: ["feats"], feat: ["feats"], deprel: ["deprel"], label: ["deprel"], misc: ["misc"],
  };
  const OF_SENTENCE = ["id", "text", "comment"];
  const WRONG = ["upos", "xpos", "feats", "lemma", "head", "deprel", "word", "any"];

  const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

  // a function that says whether a value is one of the alternatives
  function tester(pattern, isLiteral) {
    const alternatives = isLiteral ? [escaped(pattern)]
      : pattern.split("|").map((part) => part.split("*").map(escaped).join(".*"));
    const found = new RegExp(`^(?:${alternatives.join("|")})$`, "isu");
    return (value) => found.test(value);
  }

  function featureTester(pattern, isLiteral) {
    const tests = (isLiteral ? [pattern] : pattern.split("|")).map((part) => {
      const [name, wanted] = part.split("=");
      if (wanted === "_")
        return (features) => !features.some((each) => each.startsWith(`${name}=`));
      const test = tester(wanted === undefined ? `${part}=*` : part, isLiteral && wanted);
      return (features) => features.some(test);
    });
    return (value) => {
      const features = value === "_" ? [] : value.split("|");
      return tests.some((test) => test(features));
    };
  }

  function ofField(name, pattern, isLiteral) {
    if (FIELDS[name][0] === "feats") return featureTester(pattern, isLiteral);
    const test = tester(pattern, isLiteral);
    if (FIELDS[name][0] === "deprel") return (value) => test(value) || test(value.split(":")[0]);
    return test;
  }

  // {words: tests of one word, plain: words within forms, whole: tests of the sentence, fault}
  return function parse(text) {
    const query = { words: [], plain: [], whole: [], fault: "" };
    const parts = /(-?)(?:([a-z]+(?:\.[a-z]+)?):)?(?:"((?:[^"\\]|\\.)*)"?|(\S+))/giu;
    for (const [, minus, field, quoted, bare] of text.matchAll(parts)) {
      const isLiteral = quoted !== undefined, pattern = isLiteral ? quoted.replace(/\\(.)/gu, "$1") : bare;
      const negated = minus === "-";
      if (!field) {
        // a hyphen alone is a word, too
        const wanted = (pattern || minus).toLowerCase();
        if (wanted) query.plain.push({ negated: negated && Boolean(pattern), wanted });
        continue;
      }
      const [first, second] = field.toLowerCase().split(".");
      const side = second === undefined ? "" : first, name = second === undefined ? first : second;
      if (!pattern) continue;
      if (name === "wrong" && !side) {
        if (!WRONG.includes(pattern)) query.fault = `wrong: takes ${WRONG.join(", ")}`;
        query.words.push({ negated, wrong: pattern });
      } else if (OF_SENTENCE.includes(name) && !side) {
        const part = name === "id" ? pattern : isLiteral ? pattern : `*${pattern}*`;
        const wanted = pattern.toLowerCase();
        const test = name === "id" ? tester(part, isLiteral)
          : isLiteral ? (value) => value.toLowerCase().includes(wanted) : tester(part, false);
        query.whole.push({ negated, name, test });
      } else if (name in FIELDS && ["", "head", "gold"].includes(side)) {
        query.words.push({
          negated, side, columns: FIELDS[name].map((column) => PLACE[column]),
          test: ofField(name, pattern, isLiteral),
        });
      } else {
        query.fault = `there is no field ${field}; put it in quotation marks if it is a word`;
      }
    }
    query.isEmpty = !(query.words.length || query.plain.length || query.whole.length);
    return query;
  };
})();

const hitsIn = (() => {
  const TAGS = ["upos", "xpos", "feats", "lemma", "head", "deprel"];

  function isWrong(gold, column) {
    if (gold === undefined) return false;
    if (gold === null) return column === "word" || column === "any";
    return column === "any" ? TAGS.some((name) => name in gold) : column in gold;
  }

  function holds(sentence, word, term) {
    const gold = sentence.wrong[word[0]];
    if (term.wrong) return isWrong(gold, term.wrong);
    if (term.side === "gold") {
      if (gold === null) return false;
      return term.columns.some((place) => {
        const own = gold && COLUMNS[place] in gold ? String(gold[COLUMNS[place]]) : word[place];
        return term.test(own);
      });
    }
    const of = term.side === "head" ? sentence.words[Number(word[PLACE.head]) - 1] : word;
    return of !== undefined && term.columns.some((place) => term.test(of[place]));
  }

  // the indices of the words that are found; null: the sentence is none that is looked for
  return function hits(sentence, query) {
    parsedSentence(sentence);
    for (const { negated, name, test } of query.whole) {
      const values = name === "comment" ? sentence.comments
        : [name === "id" ? sentence.id || String(sentence.place + 1) : sentence.text];
      if (values.some(test) === negated) return null;
    }
    const found = new Set();
    if (query.words.length) {
      sentence.words.forEach((word, i) => {
        if (query.words.every((term) => holds(sentence, word, term) !== term.negated)) found.add(i);
      });
      if (!found.size) return null;
    }
    for (const { negated, wanted } of query.plain) {
      let any = sentence.tokens.some((form) => form.toLowerCase().includes(wanted));
      sentence.words.forEach((word, i) => {
        if (!word[PLACE.form].toLowerCase().includes(wanted)) return;
        any = true;
        if (!negated) found.add(i);
      });
      if (any === negated) return null;
    }
    return found;
  };
})();
