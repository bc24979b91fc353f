// JavaScript libraries that come from the kernel, out of Python packages: nothing is loaded from
// the internet. One of each key for the whole page, for all widgets, and for cells run again.

const ASK_AGAIN = 4000; // milliseconds after which a library is asked for once more

const libraries = (globalThis.horizonLibraries ??= new Map());

function libraryOf(key) {
  if (!libraries.has(key)) {
    const made = { key, asked: -ASK_AGAIN, loading: false, module: null };
    made.ready = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    made.ready.catch(() => {}); // each widget says it by itself
    libraries.set(key, made);
  }
  return libraries.get(key);
}

function takeLibrary(library, module) {
  library.module = module;
  library.resolve(module);
}

async function loadLibrary(library, packed) {
  if (library.loading || library.module) return;
  library.loading = true;
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const source = await new Response(stream).arrayBuffer();
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      takeLibrary(library, await import(url));
    } finally {
      URL.revokeObjectURL(url);
    }
  } catch (error) {
    // Forgotten: the next widget, or this cell run again, may try once more.
    if (libraries.get(library.key) === library) libraries.delete(library.key);
    library.reject(error);
  }
}

// A widget's own way to a library: `get(key)` asks the widget's kernel until the page has it.
function librariesOf(model, send) {
  let asking = 0;
  function ask(library) {
    const now = performance.now();
    if (library.module || now - library.asked < ASK_AGAIN) return;
    library.asked = now;
    send("library");
  }
  function hear(message, buffers) {
    if (message?.library !== undefined) loadLibrary(libraryOf(message.library), buffers[0]);
  }
  model.on("msg:custom", hear);
  return {
    async get(key) {
      const library = libraryOf(key);
      ask(library);
      clearInterval(asking);
      asking = setInterval(() => ask(library), 1000);
      try {
        return await library.ready;
      } finally {
        clearInterval(asking);
      }
    },
    end() {
      clearInterval(asking);
      model.off("msg:custom", hear);
    },
  };
}
