// Talks to the program as an assistant does, through an official TypeScript client, and prints a line for each step: «ok …» or
// «FAIL …». Arguments: the client (sdk or client), the revision, and the address of the server or the program with its arguments.
import assert from "node:assert/strict";

const [library, revision, ...server] = process.argv.slice(2);
const overHTTP = server[0].startsWith("http://");
const problems = []; // what the client reports beside its answers

const newBorrower = {
  process: "1042",
  borrowerTypeId: 2,
  keyBorrowerRelationId: 1,
  personal: {
    name: "Rui Amostra", birthDate: "1990-04-12", taxId: "299999998", mobile: "912345678", email: "rui@example.com", genderId: 2,
  },
};

// The server asks for input during a call in the revision 2026-07-28, and before it by a request, which is answered in a session.
const canAsk = !overHTTP || revision === "2026-07-28";
const trusted = process.env.ASSISTANT_POLICY === "elicit"; // to ask its person by a form
const capabilities = { elicitation: trusted ? { form: {} } : { url: {} } };
const opened = []; // addresses that the client opens for its person
const asked = []; // what it asks her by a form

// answer answers a request of the server for input.
function answer({ params }) {
  assert.ok(params.message);
  if (params.mode === "url") {
    opened.push(params.url);
    return { action: "accept" };
  }
  asked.push(params.message);
  return { action: "accept", content: {} };
}

const session = await (library === "sdk" ? connectSDK() : connectClient());
const { client } = session;
client.onerror = (error) => problems.push(error.message);
let failed = false;

async function connectSDK() {
  const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
  const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
  const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
  const { ElicitRequestSchema } = await import("@modelcontextprotocol/sdk/types.js");
  const client = new Client({ name: "conformance", version: "1" }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, answer);
  const transport = transportOf(StdioClientTransport, StreamableHTTPClientTransport);
  await client.connect(transport);
  return { client, negotiated: () => (overHTTP ? transport.protocolVersion : revision) };
}

async function connectClient() {
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
  const client = new Client(
    { name: "conformance", version: "1" },
    { capabilities, versionNegotiation: { mode: revision === "2025-11-25" ? "legacy" : "auto" } },
  );
  client.setRequestHandler("elicitation/create", answer);
  await client.connect(transportOf(StdioClientTransport, StreamableHTTPClientTransport));
  return { client, negotiated: () => client.getNegotiatedProtocolVersion() };
}

function transportOf(Stdio, HTTP) {
  return overHTTP ? new HTTP(new URL(server[0])) : new Stdio({ command: server[0], args: server.slice(1), env: process.env, stderr: "ignore" });
}

async function step(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAIL ${name}: ${error.message.replaceAll("\n", " ")}`);
  }
}

// eventually waits until a condition holds.
async function eventually(condition) {
  for (const until = Date.now() + 10_000; !condition(); await new Promise((done) => setTimeout(done, 10))) {
    assert.ok(Date.now() < until, `waited for ${condition}`);
  }
}

const call = (name, args) => client.callTool({ name, arguments: args });

// succeeded makes a call that has to succeed. The client itself checks structuredContent against the tool's outputSchema.
async function succeeded(name, args) {
  const result = await call(name, args);
  assert.notEqual(result.isError, true, JSON.stringify(result.content));
  assert.ok(result.structuredContent, "no structuredContent");
  assert.ok(result.content[0].text, "no text");
  return result.structuredContent;
}

await step("connect", () => {
  assert.equal(session.negotiated(), revision);
  assert.equal(client.getServerVersion().name, "balcao");
  assert.ok(client.getInstructions());
});

let tools = [];
await step("list", async () => {
  tools = (await client.listTools()).tools;
  assert.ok(tools.length > 10);
  for (const tool of tools) {
    assert.ok(tool.title && tool.description && tool.inputSchema && tool.outputSchema && tool.annotations, tool.name);
  }
  assert.ok((await client.listPrompts()).prompts.length > 0);
  assert.ok((await client.listResourceTemplates()).resourceTemplates.length > 0);
});

let borrower;
await step("read", async () => {
  const { processes } = await succeeded("find_processes", {});
  assert.ok(processes.length > 0);
  assert.equal((await succeeded("get_process", { process: "1043" })).number, 1043);
  const { borrowers } = await succeeded("list_borrowers", { process: "1043" });
  borrower = borrowers[0].borrower;
  await succeeded("get_borrower", { process: "1043", borrower });
  await succeeded("check_process", { process: "1043" });
  await succeeded("process_updates", {});
  await succeeded("search_taxonomy", { taxonomy: "maritalStatus" });
  await succeeded("get_esis", { process: "1043" });
  await succeeded("find_operation", { text: "cancel a process" });
  await succeeded("describe_operation", { operation: "cancel_process" });
  assert.equal((await succeeded("read_operation", { operation: "get_process", arguments: { process: "1043" } })).number, 1043);
});

await step("resource", async () => {
  const { contents } = await client.readResource({ uri: "balcao://processes/1043" });
  assert.match(contents[0].text, /1043/);
  const pdf = await client.readResource({ uri: "balcao://processes/1043/esis" });
  assert.match(atob(pdf.contents[0].blob), /^%PDF/);
});

await step("prompt", async () => {
  const { messages } = await client.getPrompt({ name: "explain_esis", arguments: { process: "1043" } });
  assert.match(messages[0].content.text, /1043/);
  const { completion } = await client.complete({
    ref: { type: "ref/prompt", name: "explain_esis" },
    argument: { name: "process", value: "104" },
  });
  assert.ok(completion.values.includes("1043"), completion.values.join());
});

await step("write that waits", async () => {
  const draft = await succeeded("create_borrower", { process: "1043", borrowerTypeId: 2, personal: { name: "Rui Amostra" } });
  assert.equal(draft.approval.status, "draft");
  assert.ok(draft.approval.missing.includes("personal.taxId"), draft.approval.missing.join());
  await succeeded("withdraw_approval", { approval: draft.approval.id }); // the next session asks for it anew
  const waits = await succeeded("create_borrower", newBorrower);
  if (trusted && canAsk) {
    assert.equal(waits.approval.status, "done");
    assert.ok(waits.result.borrower);
    assert.equal(asked.length, 1);
    assert.ok(!asked[0].includes("299999998") && !asked[0].includes("Rui Amostra"), asked[0]);
    return;
  }
  assert.equal(waits.approval.status, "waiting");
  const approval = waits.approval.id;
  await eventually(() => opened.length === (canAsk ? 2 : 0)); // by a request of its own, it asks beside the result
  assert.ok(opened.every((address) => /^http:\/\/127\.0\.0\.1:\d+\//.test(address)), opened.join());
  const progress = [];
  const result = await client.callTool(
    { name: "await_approval", arguments: { approval, seconds: 1 } },
    ...(library === "sdk" ? [undefined] : []),
    { onprogress: (at) => progress.push(at) },
  );
  assert.equal(result.structuredContent.approval.status, "waiting");
  assert.ok(progress.length > 0 && progress[0].total === 1, `progress: ${JSON.stringify(progress)}`);
  const changed = await succeeded("write_operation", {
    operation: "update_borrower", arguments: { process: "1043", borrower, set: { "personal.mobile": "913456789" } },
  });
  for (const id of [approval, changed.approval.id]) {
    const withdrawn = await succeeded("withdraw_approval", { approval: id });
    assert.ok(withdrawn.approval.id === id && withdrawn.approval.status !== "waiting", withdrawn.approval.status);
  }
});

await step("errors", async () => {
  for (const [name, args] of [
    ["get_process", { process: "9999" }],
    ["create_borrower", { process: "1042", borrowerType: 1 }],
    ["await_approval", { approval: "none" }],
    ["read_operation", { operation: "cancel_process", arguments: { process: "1043" } }],
  ]) {
    const result = await call(name, args);
    assert.equal(result.isError, true, `${name} ${JSON.stringify(result.structuredContent)}`);
    assert.ok(result.content[0].text);
  }
  await assert.rejects(call("no_such_tool", {}), (error) => error.code === -32602);
  await assert.rejects(client.readResource({ uri: "balcao://processes/9999" }), (error) => [-32002, -32602].includes(error.code));
  await assert.rejects(client.getPrompt({ name: "no_such_prompt" }), (error) => error.code === -32602);
});

await step("close", async () => {
  await client.close();
  assert.deepEqual(problems, []);
});

process.exit(failed ? 1 : 0);
