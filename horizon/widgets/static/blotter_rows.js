// The rows of a blotter's table as the page knows them, and which of them a filter lets pass.

// A number as it is typed: 1,000 or −2.5 or 1e-3.
const TYPED = "-?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?";
const COMPARED = new RegExp(`^(>=|<=|>|<|=)(${TYPED})$`, "i");
const BETWEEN = new RegExp(`^(${TYPED})?\\.\\.(${TYPED})?$`, "i");
const COMPARE = {
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  "=": (value, bound) => value === bound,
};

// What a filter of one column asks of a cell. It is `wrong` if it began as a comparison, and is
// none; then it asks nothing.
function testOf(kind, text) {
  const sought = text.trim();
  if (sought === "") return { test: null };
  if (kind === "choice") return { test: (cell) => cell[1] === sought };
  if (kind === "number") {
    const plain = sought.replaceAll("−", "-").replace(/[\s,]/g, "");
    const compared = plain.match(COMPARED);
    if (compared) {
      const bound = Number(compared[2]);
      const holds = COMPARE[compared[1]];
      return { test: (cell) => cell[1] !== null && holds(cell[1], bound) };
    }
    const between = plain.match(BETWEEN);
    if (between && (between[1] ?? between[2]) !== undefined) {
      const low = between[1] === undefined ? -Infinity : Number(between[1]);
      const high = between[2] === undefined ? Infinity : Number(between[2]);
      return { test: (cell) => cell[1] !== null && cell[1] >= low && cell[1] <= high };
    }
    if (/^[<>=]|\.\./.test(plain)) return { test: null, wrong: true };
  }
  const low = sought.toLowerCase();
  return { test: (cell) => cell[0].toLowerCase().includes(low) };
}

// What the filters of a table ask of a row: its group, each column's own, and every word sought.
function passOf(columns, { group, find, filters }) {
  const tests = [];
  const wrong = [];
  columns.forEach((column, index) => {
    const made = testOf(column.kind, filters[column.name] ?? "");
    if (made.wrong) wrong.push(column.name);
    if (made.test) tests.push((row) => made.test(row.cells[index]));
  });
  const sought = find.toLowerCase().split(/\s+/).filter(Boolean);
  if (sought.length > 0) {
    tests.push((row) => {
      row.all ??= row.cells.map((cell) => cell[0]).join("\n").toLowerCase();
      return sought.every((word) => row.all.includes(word));
    });
  }
  const isNarrow = tests.length > 0;
  if (group !== "") tests.push((row) => row.group === group);
  return { pass: (row) => tests.every((test) => test(row)), isNarrow, wrong };
}

// The order of two values: numbers, then texts (p9 before p10). What has none stands behind,
// whichever way the others run.
const letters = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
function compareKeys(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "string" && typeof other === "string") return letters.compare(one, other);
  return typeof one === "number" ? -1 : 1;
}
function sorter(sign) {
  return (one, other) => {
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return sign * compareKeys(one, other);
  };
}

// A table's rows, by number, and the version up to which they are known. `ask(have)` asks the
// kernel for what is missing; whoever listens hears what has changed.
function rowStore(ask) {
  const rows = new Map();
  const listeners = new Set();
  let have = 0;
  let newest = 0;
  let asked = -Infinity;

  function request() {
    asked = performance.now();
    ask(have);
  }
  function tell(changes) {
    for (const listener of listeners) listener(changes);
  }
  function take(message, written) {
    newest = Math.max(newest, message.newest);
    if (message.to <= have && have > 0) return; // for a page that knows less
    if (message.from > have) {
      // Something is missing in between. What was asked for may still be on its way.
      if (performance.now() - asked > 2000) request();
      return;
    }
    const added = [];
    const changed = [];
    const gone = [];
    if (message.whole) {
      gone.push(...rows.values());
      rows.clear();
    }
    for (const number of message.gone) {
      const row = rows.get(number);
      if (row === undefined) continue;
      rows.delete(number);
      gone.push(row);
    }
    for (const [number, group, isOver, cells, actions] of written) {
      const row = rows.get(number);
      if (row === undefined) {
        const made = { number, group, isOver, before: cells, cells, actions, all: null };
        rows.set(number, made);
        added.push(made);
      } else {
        Object.assign(row, { group, isOver, before: row.cells, cells, actions, all: null });
        changed.push(row);
      }
    }
    have = message.to;
    tell({ added, changed, gone });
  }
  // A piece may be packed, and unpacking takes its time: pieces are taken in their order.
  let queue = Promise.resolve();
  function hear(message, buffers) {
    const piece = async () => {
      let written = message.data;
      if (written === undefined) {
        const unpacked = new Blob([buffers[0]]).stream().pipeThrough(new DecompressionStream("deflate"));
        written = await new Response(unpacked).json();
      }
      take(message, written);
    };
    // One that cannot be read is asked for again, and holds up none that follow.
    queue = queue.then(piece).catch((error) => {
      console.warn(`a piece of ${message.rows} was lost`, error);
      setTimeout(request, 1000);
    });
    return queue;
  }
  return {
    rows,
    hear,
    listeners,
    // Ask anew if the kernel is ahead and nothing comes.
    look(version) {
      newest = version;
      if (have !== version && performance.now() - asked > 2000) request();
    },
    request,
    get isBehind() {
      return have < newest;
    },
  };
}
