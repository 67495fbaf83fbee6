// The script that every JavaScript driver plays, and how it tells the runner what it saw.
//
// A driver connects its client and hands it over; this file calls the tools, in order, and prints one
// JSON line per step. It judges nothing: what is right is known to `judge.py` alone. Default options
// and default timeouts everywhere, because those are what agents run with.

/** The script: the only argument, JSON. The key comes by the environment, not by the arguments. */
export const script = JSON.parse(process.argv[2]);
export const authorization = `Bearer ${process.env.PORTCULLIS_KEY}`;

/**
 * Plays the script. `connect` gives `{client, revision}`: a connected client of either TypeScript SDK,
 * both have the same two calls, and the protocol revision it agreed on, where it can say.
 */
export async function play(connect) {
  let client;
  await step('list', async () => {
    const connected = await connect();
    client = connected.client;
    const { tools } = await client.listTools();
    return { tools: tools.map((tool) => tool.name), revision: connected.revision };
  });
  if (!client) process.exit(1);
  await step('read', () => call(client, script.read));
  await step('refused', () => call(client, script.refused));
  await step('invalid', () => call(client, script.invalid));
  if (script.held) {
    say({ step: 'holding' });
    await step('held', () => callUntilSettled(client, script.held));
  }
  await client.close();
  process.exit(0); // A child or a kept-alive socket must not outlive the script.
}

/** A held call may end with a pending result; repeating the identical call asks again. */
async function callUntilSettled(client, { tool, arguments: args }) {
  const pending = new RegExp(script.pending, 'i');
  const deadline = Date.now() + script.patience * 1000;
  for (let calls = 1; ; calls += 1) {
    const outcome = await call(client, { tool, arguments: args });
    if (!outcome.is_error || !pending.test(outcome.text) || Date.now() > deadline) {
      return { ...outcome, calls };
    }
    await new Promise((resume) => setTimeout(resume, 500));
  }
}

async function call(client, { tool, arguments: args }) {
  const result = await client.callTool({ name: tool, arguments: args });
  const text = result.content.filter((part) => part.type === 'text').map((part) => part.text);
  return { is_error: result.isError === true, text: text.join('\n') };
}

async function step(name, act) {
  try {
    say({ step: name, ...(await act()) });
  } catch (error) {
    say({ step: name, error: `${error.name}: ${error.message}` });
  }
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
