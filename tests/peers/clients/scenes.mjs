// What takes more than one request, with the npm SDK: the same scenes as in scenes.py, with the same results.

const PATIENCE = 20_000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits for something to be true. */
async function until(found) {
  for (const end = Date.now() + PATIENCE; !(await found()); await pause(20)) {
    if (Date.now() > end) throw new Error("nothing happened for too long");
  }
}

/** `stage` has what differs from client to client: `client`, `told` (its notifications), `keys(list)`, `types`. */
export const scenes = {
  async logged(stage, { level, name, any }) {
    await stage.client.setLoggingLevel(level);
    stage.told.length = 0;
    const messages = () => stage.told.filter(({ method }) => method === "notifications/message").map(({ params }) => params);
    if (any) {
      await until(async () => {
        for (const _ of ["on", "off"]) await call(stage, name);
        return messages().length > 0;
      });
      return { heard: true };
    }
    await call(stage, name);
    await until(() => messages().some((message) => message.level === "emergency"));
    return { messages: messages().map(({ level, logger, data }) => [level, logger ?? null, data]) };
  },

  async watched(stage, { uri, name, toggles, counts }) {
    await stage.client.subscribeResource({ uri });
    stage.told.length = 0;
    const updates = () => stage.told.filter(({ method }) => method === "notifications/resources/updated");
    await call(stage, name);
    await until(() => updates().length > 0);
    const heard = [...new Set(updates().map(({ params }) => params.uri))].sort();
    if (toggles) await call(stage, name);
    await stage.client.unsubscribeResource({ uri });
    if (counts) await until(async () => (await call(stage, name)) === "0");
    return { updated: heard };
  },

  async changed(stage, { list, name, arguments: given, tool, uri, undo }) {
    stage.told.length = 0;
    const told = () => stage.told.filter(({ method }) => method === `notifications/${list}_changed`).length;
    const there = async () => (await stage.keys(list)).includes(tool ?? uri);
    await call(stage, name, given);
    await until(told);
    await until(there);
    if (undo) {
      const before = told();
      await call(stage, undo);
      await until(() => told() > before);
      await until(async () => !(await there()));
    }
    return { changed: true };
  },

  async cancelled(stage, { name, witness }) {
    const before = await call(stage, witness);
    const stop = new AbortController();
    const options = { signal: stop.signal, onprogress: () => stop.abort("enough") };
    const given = stage.client.callTool({ name }, stage.types.CallToolResultSchema, options);
    await given.then(
      () => Promise.reject(new Error("it was not given up")),
      () => {},
    );
    await until(async () => (await call(stage, witness)) !== before);
    return { cancelled: true };
  },

  async task(stage, { name, arguments: given }) {
    const { tasks } = stage.client.experimental;
    const made = await stage.client.request(
      { method: "tools/call", params: { name, arguments: given, task: { ttl: 60_000 } } },
      stage.types.CreateTaskResultSchema,
    );
    const { taskId } = made.task;
    const listed = (await tasks.listTasks()).tasks.some((task) => task.taskId === taskId);
    // The questions of a task come while its result is waited for.
    await until(async () => (await tasks.getTask(taskId)).status !== "working");
    const { content } = await tasks.getTaskResult(taskId, stage.types.CallToolResultSchema);
    const { status } = await tasks.getTask(taskId);
    return { listed, status, content };
  },
};

async function call(stage, name, given = {}) {
  const { content } = await stage.client.callTool({ name, arguments: given });
  return content[0].text;
}
