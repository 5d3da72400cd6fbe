// parseQuery(text): what is looked for; parsedSentence(sentence): the columns of its words, and
// commentOf, tokensOf and textOf: what else is in it; hitsIn(sentence, query): which words are found.

const COLUMNS = ["id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"];
const PLACE = Object.fromEntries(COLUMNS.map((name, place) => [name, place]));

// Fills in words (lists of columns), lines (with those of other tokens) and comments.
function parsedSentence(sentence) {
  if (sentence.words) return sentence;
  const words = [], lines = [], comments = [];
  for (const line of sentence.block.split("\n")) {
    // a line of a word begins with its id
    if (line.startsWith("#")) {
      comments.push(line);
      continue;
    }
    const columns = line.split("\t");
    lines.push(columns);
    if (!/[-.]/.test(columns[0])) words.push(columns);
  }
  return Object.assign(sentence, { words, lines, comments });
}

// The value of a comment such as "# sent_id = 1"; undefined if there is none.
function commentOf(sentence, key) {
  let found;
  for (const line of parsedSentence(sentence).comments) {
    const equals = line.indexOf("=");
    if (equals > 0 && line.slice(1, equals).trim() === key) found = line.slice(equals + 1).trim();
  }
  return found;
}

// The lines of the tokens: of multiword tokens, and of words outside of them.
function tokensOf(sentence) {
  let covered = 0;
  return parsedSentence(sentence).lines.filter(([id]) => {
    if (id.includes("-")) {
      covered = Number(id.split("-")[1]);
      return true;
    }
    return !id.includes(".") && Number(id) > covered;
  });
}

function textOf(sentence) {
  const given = commentOf(sentence, "text");
  if (given !== undefined) return given;
  const pieces = tokensOf(sentence).map((columns) => {
    const isBeforeSpace = !(columns[PLACE.misc] || "").split("|").includes("SpaceAfter=No");
    return columns[PLACE.form] + (isBeforeSpace ? " " : "");
  });
  return pieces.join("").trim();
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
        : [name === "id" ? commentOf(sentence, "sent_id") || String(sentence.place + 1)
          : textOf(sentence)];
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
      const finds = (columns) => columns[PLACE.form].toLowerCase().includes(wanted);
      let any = sentence.lines.some((columns) => columns[0].includes("-") && finds(columns));
      sentence.words.forEach((word, i) => {
        if (!finds(word)) return;
        any = true;
        if (!negated) found.add(i);
      });
      if (any === negated) return null;
    }
    return found;
  };
})();
